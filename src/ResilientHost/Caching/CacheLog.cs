using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Caching;

/// <summary>Tells of factories that failed behind a stale value, and of what could not be kept. Thread-safe; no member throws. Keys are never told: they may be anybody's.</summary>
internal sealed partial class CacheLog : IDisposable
{
    private readonly ILogger _logger;
    private readonly LogStorm _factories;
    private readonly LogStorm _distributed;
    private readonly LogStorm _values;
    private readonly LogStorm _filters;

    public CacheLog(ILogger<CacheLog> logger, MonotonicClock clock)
    {
        _logger = logger;
        var seconds = LogStorm.Interval.TotalSeconds;
        _factories = new LogStorm(clock.Provider, more => MoreFactoriesFailed(more, seconds));
        _distributed = new LogStorm(clock.Provider, more => MoreDistributedFailed(more, seconds));
        _values = new LogStorm(clock.Provider, more => MoreNotKept(more, seconds));
        _filters = new LogStorm(clock.Provider, more => MoreFiltersFailed(more, seconds));
    }

    public void FactoryFailed(string cache, Exception exception) => Write(_factories, () => FirstFactoryFailed(exception, cache));

    public void DistributedFailed(string cache, Exception exception) => Write(_distributed, () => FirstDistributedFailed(exception, cache));

    public void DistributedCircuit(string cache, CircuitTransition transition) => Contain(() =>
    {
        if (transition.To == CircuitState.Open)
        {
            DistributedLeftAlone(cache);
        }
        else if (transition.To == CircuitState.Closed)
        {
            DistributedBack(cache);
        }
    });

    public void NotKept(string cache, Exception exception) => Write(_values, () => FirstNotKept(exception, cache));

    public void Unreadable(string cache, Exception? exception) => Write(_values, () => FirstUnreadable(exception, cache));

    public void FilterFailed(string cache, Exception exception) => Write(_filters, () => FirstFilterFailed(exception, cache));

    public void Unused(string name) => Contain(() => NameOfNoCache(name));

    public void Dispose()
    {
        _factories.Dispose();
        _distributed.Dispose();
        _values.Dispose();
        _filters.Dispose();
    }

    private static void Write(LogStorm storm, Action write) => Contain(() =>
    {
        if (storm.Admit())
        {
            write();
        }
    });

    private static void Contain(Action write)
    {
        try
        {
            write();
        }
        catch (Exception)
        {
            // A log sink that throws must not cost a read.
        }
    }
}
