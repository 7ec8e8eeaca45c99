using System.Collections.Concurrent;

using Microsoft.Extensions.Logging;

using ResilientHost.Telemetry;

namespace ResilientHost.CircuitBreaking;

/// <summary>What the partitions of a registry's keyed breakers tell the outside: their set's name, never a key.</summary>
/// <remarks>
/// All partitions of a set share its listeners. An outage moves each of ten thousand circuits: the first line in full, then one per interval with their number.
/// </remarks>
internal sealed partial class CircuitPartitionTelemetry(CircuitBreakerMetrics metrics, ILogger logger, CircuitServices services) : IDisposable
{
    private readonly ConcurrentDictionary<string, LogStorm> _storms = new(StringComparer.Ordinal);
    private volatile bool _disposed;

    /// <summary>What every partition of <paramref name="whole"/> tells its changes to: metrics, log, and whoever listens to the breaker itself.</summary>
    public CircuitListener[] ListenersOf(CircuitBreaker whole) =>
    [
        new(metrics.Count, services),
        new(Write, services),
        new(whole.Relay, services),
    ];

    public void Dispose()
    {
        _disposed = true;
        foreach (var (_, storm) in _storms)
        {
            storm.Dispose();
        }
    }

    private void Write(CircuitTransition transition)
    {
        if (_disposed || !logger.IsEnabled(LogLevel.Information))
        {
            return;
        }

        var storm = _storms.GetOrAdd(transition.Name, static (name, telemetry) => telemetry.NewStorm(name), this);
        if (storm.Admit())
        {
            Log.Moved(logger, transition.Name, transition.From, transition.To, transition.Cause, transition.Era, transition.At, transition.TraceId ?? "-");
        }
    }

    private LogStorm NewStorm(string name) => new(services.Clock.Provider, more => Log.MoreMoved(logger, name, more, LogStorm.Interval.TotalSeconds));

    private static partial class Log
    {
        [LoggerMessage(EventIds.CircuitBreaking + 6, LogLevel.Information, "A partition of circuit breaker '{Name}' went from {From} to {To} ({Cause}, era {Era}) at {At:O}. Trace {TraceId}.")]
        public static partial void Moved(ILogger logger, string name, CircuitState from, CircuitState to, CircuitTransitionCause cause, long era, DateTimeOffset at, string traceId);

        [LoggerMessage(EventIds.CircuitBreaking + 7, LogLevel.Information, "Partitions of circuit breaker '{Name}' changed their state {Count} more times within {Seconds} s.")]
        public static partial void MoreMoved(ILogger logger, string name, long count, double seconds);
    }
}
