using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;
using Instruments = ResilientHost.ResilienceDiagnostics.Instruments;
using Tags = ResilientHost.ResilienceDiagnostics.Tags;
using Values = ResilientHost.ResilienceDiagnostics.BulkheadTagValues;

namespace ResilientHost.Bulkheads;

/// <summary>
/// The bulkheads' instruments. All but the histogram are read from the bulkheads when a listener asks, so a listener that starts in the
/// middle of a call sees balanced numbers, and nothing is paid per call.
/// </summary>
internal sealed class BulkheadMetrics
{
    private const string Calls = "{call}";
    private static readonly InstrumentAdvice<double> QueueDurationAdvice = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private readonly Func<IReadOnlyList<Bulkhead>> _bulkheads;
    private readonly Func<IEnumerable<BulkheadGroup>> _groups;
    private readonly ConcurrentDictionary<Bulkhead, FairShareCounts> _shareCounts = new();
    private readonly Histogram<double> _queueDuration;

    public BulkheadMetrics(ResilienceMeter resilience, Func<IReadOnlyList<Bulkhead>> bulkheads, Func<IEnumerable<BulkheadGroup>>? groups = null)
    {
        _bulkheads = bulkheads;
        _groups = groups ?? (static () => []);
        var meter = resilience.Meter;
        meter.CreateObservableUpDownCounter(Instruments.BulkheadInFlight, InFlight, Calls, "Calls inside a bulkhead.");
        meter.CreateObservableUpDownCounter(Instruments.BulkheadQueued, Queued, Calls, "Calls waiting for a bulkhead.");
        meter.CreateObservableUpDownCounter(Instruments.BulkheadLimit, Limits, Calls, "Calls that may be inside a bulkhead at once.");
        meter.CreateObservableCounter(Instruments.BulkheadRefusals, Refusals, Calls, "Calls that a bulkhead refused.");
        meter.CreateObservableCounter(Instruments.BulkheadShadowRefusals, ShadowRefusals, Calls, "Calls that a bulkhead in Shadow admitted although there was no room.");
        meter.CreateObservableCounter(Instruments.BulkheadShareRefusals, ShareRefusals, Calls, "Calls that a bulkhead refused because of their caller's share.");
        meter.CreateObservableCounter(Instruments.BulkheadShadowShareRefusals, ShadowShareRefusals, Calls, "Calls that a bulkhead in Shadow admitted although they were beyond their caller's share.");
        meter.CreateObservableUpDownCounter(Instruments.BulkheadPartitions, Partitions, "{partition}", "Callers that a bulkhead tells apart.");
        _queueDuration = meter.CreateHistogram(Instruments.BulkheadQueueDuration, "s", "Time that calls waited for a bulkhead.", tags: null, QueueDurationAdvice);
    }

    /// <summary>The counts of a bulkhead whose callers are told apart, now or before.</summary>
    public FairShareCounts ShareCountsOf(Bulkhead bulkhead) => _shareCounts.GetOrAdd(bulkhead, static _ => new FairShareCounts());

    public void Waited(Bulkhead bulkhead, TimeSpan duration, WaitEnd end)
    {
        if (_queueDuration.Enabled)
        {
            _queueDuration.Record(duration.TotalSeconds, Name(bulkhead), new(Tags.BulkheadQueueOutcome, Text(end)));
        }
    }

    internal static string Text(WaitEnd end) => end switch
    {
        WaitEnd.Admitted => Values.Admitted,
        WaitEnd.Displaced => Values.BulkheadFull,
        WaitEnd.TimedOut => Values.QueueTimeout,
        WaitEnd.Cancelled => Values.Cancelled,
        _ => throw new ArgumentOutOfRangeException(nameof(end), end, "The wait has not ended."),
    };

    private IEnumerable<Measurement<int>> InFlight() =>
        _bulkheads().Select(static bulkhead => new Measurement<int>(bulkhead.Snapshot().InFlight, Name(bulkhead)))
            .Concat(_groups().Select(static group => new Measurement<int>(group.ReadFor(BulkheadInstrument.InFlight).Snapshot.InFlight, Name(group))));

    private IEnumerable<Measurement<int>> Queued() =>
        _bulkheads().Where(HasLimit).Select(static bulkhead => new Measurement<int>(bulkhead.Snapshot().Queued, Name(bulkhead)))
            .Concat(_groups().Where(HasLimit).Select(static group => new Measurement<int>(group.ReadFor(BulkheadInstrument.Queued).Snapshot.Queued, Name(group))));

    private IEnumerable<Measurement<int>> Limits() =>
        _bulkheads().Where(HasLimit).Select(static bulkhead => new Measurement<int>(bulkhead.Limit, Name(bulkhead)))
            .Concat(_groups().Where(HasLimit).Select(static group => new Measurement<int>(group.ReadFor(BulkheadInstrument.Limit).Snapshot.Limit, Name(group))));

    private IEnumerable<Measurement<long>> Refusals()
    {
        foreach (var bulkhead in _bulkheads())
        {
            // A counter that has begun must not vanish when the limit is taken away.
            if (HasLimit(bulkhead) || bulkhead.RefusedFull + bulkhead.RefusedTimeout > 0)
            {
                yield return new(bulkhead.RefusedFull, Name(bulkhead), new(Tags.RefusalReason, Values.BulkheadFull));
                yield return new(bulkhead.RefusedTimeout, Name(bulkhead), new(Tags.RefusalReason, Values.QueueTimeout));
            }
        }

        foreach (var group in _groups())
        {
            var totals = group.ReadFor(BulkheadInstrument.Refusals).Totals;
            if (HasLimit(group) || totals.Full + totals.Timeout > 0)
            {
                yield return new(totals.Full, Name(group), new(Tags.RefusalReason, Values.BulkheadFull));
                yield return new(totals.Timeout, Name(group), new(Tags.RefusalReason, Values.QueueTimeout));
            }
        }
    }

    private IEnumerable<Measurement<long>> ShadowRefusals() =>
        _bulkheads().Where(static bulkhead => bulkhead.ShadowRefused > 0 || (HasLimit(bulkhead) && bulkhead.Policy.Mode == BulkheadMode.Shadow))
            .Select(static bulkhead => new Measurement<long>(bulkhead.ShadowRefused, Name(bulkhead)))
            .Concat(_groups().Select(static group => (Group: group, group.ReadFor(BulkheadInstrument.ShadowRefusals).Totals.Shadow))
                .Where(static read => read.Shadow > 0 || (HasLimit(read.Group) && read.Group.Policy.Mode == BulkheadMode.Shadow))
                .Select(static read => new Measurement<long>(read.Shadow, Name(read.Group))));

    private IEnumerable<Measurement<long>> ShareRefusals() =>
        _shareCounts.Select(static pair => new Measurement<long>(pair.Value.Refused, Name(pair.Key)));

    private IEnumerable<Measurement<long>> ShadowShareRefusals() =>
        _shareCounts.Where(static pair => pair.Value.ShadowRefused > 0 || pair.Key.Policy.Mode == BulkheadMode.Shadow)
            .Select(static pair => new Measurement<long>(pair.Value.ShadowRefused, Name(pair.Key)));

    private IEnumerable<Measurement<int>> Partitions()
    {
        foreach (var bulkhead in _bulkheads())
        {
            if (bulkhead.Shares is { } shares)
            {
                yield return new(shares.Partitions, Name(bulkhead));
            }
        }
    }

    private static bool HasLimit(Bulkhead bulkhead) => bulkhead.Policy.Limit != BulkheadPolicy.NoLimit;

    private static bool HasLimit(BulkheadGroup group) => group.Policy.Limit != BulkheadPolicy.NoLimit;

    private static KeyValuePair<string, object?> Name(BulkheadGroup group) => new(Tags.BulkheadName, group.Name);

    private static KeyValuePair<string, object?> Name(Bulkhead bulkhead) => new(Tags.BulkheadName, bulkhead.Name);
}
