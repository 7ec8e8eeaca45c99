using FailureDrill.Load;
using FailureDrill.Processes;
using FailureDrill.Workshops.Service;

namespace FailureDrill.Workshops;

/// <summary>How narrow the workshop is; <see langword="null"/>: as wide as the machine.</summary>
/// <param name="MaxHeapBytes">How large its managed heap may become.</param>
/// <param name="MaxDescriptors">File descriptors that it may have open at once.</param>
internal sealed record WorkshopLimits(long? MaxHeapBytes = null, int? MaxDescriptors = null);

/// <summary>A running workshop: its process and its status.</summary>
internal sealed class Workshop : IService
{
    private static readonly TimeSpan CalmLimit = TimeSpan.FromSeconds(5);

    private readonly ServiceProcess _process;

    private Workshop(ServiceProcess process, Uri address, bool layers)
    {
        _process = process;
        Address = address;
        HasLayers = layers;
        Control = new WorkshopControl(address);
    }

    public Uri Address { get; }

    public bool HasLayers { get; }

    public bool IsAlive => _process.IsAlive;

    public int? ExitCode => _process.ExitCode;

    public WorkshopControl Control { get; }

    public static async Task<Workshop> StartAsync(WorkshopLimits limits, bool layers, CancellationToken cancellationToken)
    {
        var program = new ServiceProgram("The workshop", typeof(Workshop).Assembly.Location, [WorkshopService.Command])
        {
            MaxHeapBytes = limits.MaxHeapBytes,
            MaxDescriptors = limits.MaxDescriptors,
        };
        var (process, address) = await ServiceProcess.StartAsync(program, layers, cancellationToken);
        var workshop = new Workshop(process, address, layers);
        try
        {
            var warmUp = new LoadPlan([WorkshopRequests.Orders, WorkshopRequests.Prints], PerSecond: 60);
            await Readiness.WaitAsync("The workshop", address, WorkshopRequests.All, warmUp, cancellationToken);

            // Starting is work, too; on a slow machine enough of it to look like overload.
            await workshop.Control.WaitForStatusAsync(layers => layers.IsNormal, CalmLimit, cancellationToken);
            return workshop;
        }
        catch
        {
            await workshop.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Control.Dispose();
        await _process.DisposeAsync();
    }
}
