using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.Recovery;

/// <summary>Counts exceptions. The type tag is a bounded set: what comes after the first hundred types is <c>other</c>.</summary>
internal sealed class RecoveryMetrics(ResilienceMeter meter)
{
    public const int MaxTypes = 100;
    private const string Other = "other";

    private readonly ConcurrentDictionary<string, string> _types = new(StringComparer.Ordinal);
    private readonly Counter<long> _exceptions = meter.Meter.CreateCounter<long>(
        ResilienceDiagnostics.Instruments.RecoveryExceptions, "{exception}", "Exceptions that recovery has handled.");

    /// <summary>Counts one exception. Never throws.</summary>
    public void Count(Exception exception, string origin)
    {
        if (!_exceptions.Enabled)
        {
            return;
        }

        try
        {
            _exceptions.Add(
                1,
                new TagList
                {
                    { ResilienceDiagnostics.Tags.ExceptionType, Cap(TypeNames.Of(exception)) },
                    { ResilienceDiagnostics.Tags.ExceptionOrigin, origin },
                });
        }
        catch (Exception)
        {
            // A listener's callback runs here, on the caller's thread; its failure must not cost the caller the answer.
        }
    }

    private string Cap(string type)
    {
        if (_types.TryGetValue(type, out var known))
        {
            return known;
        }

        // Two threads may overshoot the cap by one each; it bounds cardinality, it does not count it.
        return _types.Count < MaxTypes ? _types.GetOrAdd(type, type) : Other;
    }
}
