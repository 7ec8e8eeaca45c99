using System.Text.Json;
using FailureDrill.Load;
using FailureDrill.Plants.Service;
using FailureDrill.Processes;
using ResilientHost;

namespace FailureDrill.Plants;

/// <summary>What became of the orders of a plant.</summary>
/// <param name="Packed">Those that were packed; one that was packed twice is there twice.</param>
/// <param name="Dead">Those among the dead letters.</param>
internal sealed record OrderBook(IReadOnlyList<string> Packed, IReadOnlyList<string> Dead)
{
    /// <summary>Those of which nothing is known any more, or not yet.</summary>
    public IReadOnlyList<Order> Missing(IEnumerable<Order> accepted) =>
        [.. accepted.ExceptBy(Packed.Concat(Dead), order => order.Id, StringComparer.Ordinal)];
}

/// <summary>A plant: its folder, and one process after the other that works in it.</summary>
internal sealed class Plant : IService
{
    private readonly PlantFolder _folder = new(Directory.CreateTempSubdirectory("plant").FullName);
    private ServiceProcess? _process;
    private PlantControl? _control;

    private Plant(bool layers) => HasLayers = layers;

    public Uri Address { get; private set; } = null!;

    public bool HasLayers { get; }

    public bool IsAlive => _process?.IsAlive is true;

    public int? ExitCode => _process?.ExitCode;

    public PlantControl Control => _control!;

    public static async Task<Plant> StartAsync(bool layers, CancellationToken cancellationToken)
    {
        var plant = new Plant(layers);
        try
        {
            await plant.StartAsync(cancellationToken);
            return plant;
        }
        catch
        {
            await plant.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a process in the same folder, in place of one that has ended. It has an address of its own.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        await EndAsync();
        await StartAsync(cancellationToken);
    }

    /// <inheritdoc cref="ServiceProcess.TerminateAsync"/>
    public Task TerminateAsync(CancellationToken cancellationToken) => _process!.TerminateAsync(cancellationToken);

    /// <inheritdoc cref="ServiceProcess.Kill"/>
    public void Kill() => _process!.Kill();

    /// <inheritdoc cref="ServiceProcess.WaitForEndAsync"/>
    public Task<bool> WaitForEndAsync(TimeSpan limit, CancellationToken cancellationToken) => _process!.WaitForEndAsync(limit, cancellationToken);

    /// <summary>Reads from the folder what became of the orders, whether or not a process is there.</summary>
    public async Task<OrderBook> ReadOrdersAsync(CancellationToken cancellationToken)
    {
        // The letters first: an order is never in both places, and must not be seen in neither.
        var dead = new List<string>();
        await foreach (var letter in new DeadLetterJournal(_folder.DeadLetters).ReadAsync(cancellationToken))
        {
            dead.Add(JsonSerializer.Deserialize<Order>(letter.Item, JsonSerializerOptions.Web)!.Id);
        }

        return new OrderBook(await _folder.ReadPackedAsync(cancellationToken), dead);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        Directory.Delete(_folder.Path, recursive: true);
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        string[] arguments = [PlantService.Command, "--folder", _folder.Path, "--Resilience:DeadLetters:Directory", _folder.DeadLetters];
        var program = new ServiceProgram("The plant", typeof(Plant).Assembly.Location, arguments);
        (_process, Address) = await ServiceProcess.StartAsync(program, HasLayers, cancellationToken);
        _control = new PlantControl(Address);
        var warmUp = new LoadPlan([PlantRequests.Quotes], PerSecond: 60);
        await Readiness.WaitAsync("The plant", Address, [PlantRequests.Quotes], warmUp, cancellationToken);
    }

    private async Task EndAsync()
    {
        _control?.Dispose();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }
}
