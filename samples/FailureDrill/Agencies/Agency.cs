using FailureDrill.Agencies.Service;
using FailureDrill.Load;
using FailureDrill.Processes;

namespace FailureDrill.Agencies;

/// <summary>A running agency: its process, its status, and who is behind it.</summary>
internal sealed class Agency<TUpstream> : IService
    where TUpstream : IUpstream
{
    private readonly ServiceProcess _process;

    private Agency(ServiceProcess process, Uri address, TUpstream upstream, bool layers)
    {
        _process = process;
        Address = address;
        Upstream = upstream;
        HasLayers = layers;
        Control = new AgencyControl(address);
    }

    public Uri Address { get; }

    public bool HasLayers { get; }

    public bool IsAlive => _process.IsAlive;

    public int? ExitCode => _process.ExitCode;

    /// <summary>Lines of its log that say <see cref="AgencyService.Telling"/>.</summary>
    public long TellingLines => _process.TellingLines;

    public TUpstream Upstream { get; }

    public AgencyControl Control { get; }

    /// <summary>Starts an agency in front of <paramref name="upstream"/>, which is its own from then on, and waits until it can be asked for all of <paramref name="requests"/>.</summary>
    public static async Task<Agency<TUpstream>> StartAsync(TUpstream upstream, IReadOnlyList<Request> requests, bool layers, CancellationToken cancellationToken)
    {
        Agency<TUpstream> agency;
        try
        {
            var program = new ServiceProgram("The agency", typeof(AgencyService).Assembly.Location, [AgencyService.Command, .. upstream.Arguments]) { Telling = AgencyService.Telling };
            var (process, address) = await ServiceProcess.StartAsync(program, layers, cancellationToken);
            agency = new Agency<TUpstream>(process, address, upstream, layers);
        }
        catch
        {
            await upstream.DisposeAsync();
            throw;
        }

        try
        {
            await Readiness.WaitAsync("The agency", agency.Address, requests, new LoadPlan(requests, PerSecond: 60), cancellationToken);
            return agency;
        }
        catch
        {
            await agency.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Control.Dispose();
        await _process.DisposeAsync();
        await Upstream.DisposeAsync();
    }
}
