using FailureDrill.Kiosks.Service;
using FailureDrill.Load;
using FailureDrill.Processes;

namespace FailureDrill.Kiosks;

/// <summary>A running kiosk: its process, its status, and the depot behind it.</summary>
internal sealed class Kiosk : IService
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(10);

    private readonly ServiceProcess _process;

    private Kiosk(ServiceProcess process, Uri address, Depot depot, bool layers)
    {
        _process = process;
        Address = address;
        Depot = depot;
        HasLayers = layers;
        Control = new KioskControl(address);
    }

    public Uri Address { get; }

    public bool HasLayers { get; }

    public bool IsAlive => _process.IsAlive;

    /// <summary>Lines that the kiosk wrote to its log so far.</summary>
    public long LogLines => _process.LogLines;

    public Depot Depot { get; }

    public KioskControl Control { get; }

    public static async Task<Kiosk> StartAsync(bool layers, CancellationToken cancellationToken)
    {
        var depot = await Depot.StartAsync(cancellationToken);
        Kiosk kiosk;
        try
        {
            var program = new ServiceProgram(
                "The kiosk", typeof(Kiosk).Assembly.Location, [KioskService.Command, "--depot", depot.Address.ToString()]);
            var (process, address) = await ServiceProcess.StartAsync(program, layers, cancellationToken);
            kiosk = new Kiosk(process, address, depot, layers);
        }
        catch
        {
            await depot.DisposeAsync();
            throw;
        }

        try
        {
            await kiosk.WaitUntilReadyAsync(cancellationToken);
            return kiosk;
        }
        catch
        {
            await kiosk.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Control.Dispose();
        await _process.DisposeAsync();
        await Depot.DisposeAsync();
    }

    // As for the shop: a drill must not mistake the first calls for slow ones. They may take longer than a timeout, too.
    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var customers = new Customers(Address);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ReadyLimit);
        try
        {
            foreach (var request in KioskRequests.Public)
            {
                while (!(await customers.SendAsync(request, limit.Token)).IsServed)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(20), limit.Token);
                }
            }

            await LoadGenerator.RunAsync(customers, new LoadPlan(KioskRequests.Public, PerSecond: 150), TimeSpan.FromSeconds(0.3), limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ServiceException($"The kiosk started, but did not answer {string.Join(", ", KioskRequests.Public.Select(r => r.Path))} with 200 within {ReadyLimit.TotalSeconds} s.");
        }
    }
}
