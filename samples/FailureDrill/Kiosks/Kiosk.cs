using FailureDrill.Kiosks.Service;
using FailureDrill.Load;
using FailureDrill.Processes;

namespace FailureDrill.Kiosks;

/// <summary>A running kiosk: its process, its status, and the depot behind it.</summary>
internal sealed class Kiosk : IService
{
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

    public int? ExitCode => _process.ExitCode;

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
            // The first calls may take longer than a timeout, too.
            await Readiness.WaitAsync("The kiosk", kiosk.Address, KioskRequests.Public, new LoadPlan(KioskRequests.Public, PerSecond: 150), cancellationToken);
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
}
