using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Connections;

/// <summary>Tells of connections that were not taken: the first of a storm by an entry, the others by one line per interval.</summary>
/// <remarks>Thread-safe; no member throws.</remarks>
internal sealed partial class ConnectionLog : IDisposable
{
    private readonly ILogger _logger;
    private readonly LogStorm _descriptors;
    private readonly LogStorm _survival;
    private readonly LogStorm _pauses;

    public ConnectionLog(ILogger<ConnectionLog> logger, MonotonicClock clock)
    {
        _logger = logger;
        _descriptors = new LogStorm(clock.Provider, more => MoreRefusedForDescriptors(more, LogStorm.Interval.TotalSeconds));
        _survival = new LogStorm(clock.Provider, more => MoreRefusedForSurvival(more, LogStorm.Interval.TotalSeconds));
        _pauses = new LogStorm(clock.Provider, more => MorePaused(more, LogStorm.Interval.TotalSeconds));
    }

    public void RefusedForDescriptors(DescriptorCount count, int reserved) =>
        Tell(_descriptors, () => FirstRefusedForDescriptors(count.Left, count.Limit, reserved));

    public void RefusedForSurvival(int perSecond) => Tell(_survival, () => FirstRefusedForSurvival(perSecond));

    public void Paused(DescriptorCount count) => Tell(_pauses, () => FirstPaused(count.Left, count.Limit));

    public void Dispose()
    {
        _descriptors.Dispose();
        _survival.Dispose();
        _pauses.Dispose();
    }

    private static void Tell(LogStorm storm, Action write)
    {
        try
        {
            if (storm.Admit())
            {
                write();
            }
        }
        catch (Exception)
        {
            // In the server's accept loop a logger's exception would end the listening, and a log file may itself want a descriptor.
        }
    }
}
