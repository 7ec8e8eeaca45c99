namespace ResilientHost.History;

/// <summary>What is kept of one circuit. Not thread-safe but for its watch.</summary>
internal sealed class CircuitTrack
{
    /// <summary>Partitions up to this number are looked at every second, more of them every ten.</summary>
    private const int FewPartitions = 1000;

    private CallTotals _seen;
    private SecondRing? _ring;
    private LatencyHistory? _latencies;

    /// <param name="circuit">The circuit.</param>
    /// <param name="isInbound">Whether requests are behind it.</param>
    /// <param name="span">How long its states are kept, in ticks.</param>
    public CircuitTrack(CircuitBreaker circuit, bool isInbound, long span)
    {
        Circuit = circuit;
        IsInbound = isInbound;
        States = new(span);
    }

    public CircuitBreaker Circuit { get; }

    public bool IsInbound { get; }

    public CallWatch Watch { get; } = new();

    public StateStrip States { get; }

    /// <summary>Calls of the last two minutes.</summary>
    public long Load => _ring?.Calls ?? 0;

    /// <summary>The newest second.</summary>
    public CallTotals LastSecond { get; private set; }

    private (double? P50, double? P90, double? P99) Percentiles => _latencies?.Percentiles ?? default;

    /// <summary>Ends a second.</summary>
    /// <param name="seconds">How many have passed.</param>
    /// <param name="slots">By how many slots durations move on.</param>
    /// <param name="service">Gets what belongs to the service as a whole.</param>
    public void EndSecond(int seconds, int slots, ServiceTrack service)
    {
        Span<int> durations = stackalloc int[LatencyBuckets.Count];
        durations.Clear();
        var total = Watch.Read();
        var calls = LastSecond = total - _seen;
        _seen = total;
        if (slots > 0 && _latencies is { } old)
        {
            old.Rotate(slots);
            _latencies = old.IsEmpty ? null : old;
        }

        if (Watch.TakeDurations(durations) is > 0 and var samples)
        {
            (_latencies ??= new()).Add(durations);
        }
        else
        {
            samples = 0;
        }

        if (IsInbound)
        {
            service.Add(calls, durations, samples);
        }

        if (_ring is null && calls == default)
        {
            return;
        }

        // Made by the first traffic, and given back two minutes after the last.
        (_ring ??= new()).Add(calls, seconds);
        if (calls == default && _ring.IsEmpty)
        {
            _ring = null;
        }
    }

    /// <summary>Looks at the circuit's state, of one with partitions at the worst of all.</summary>
    public void Look(long now, bool thoroughly)
    {
        if (Circuit.Partitions is not { } partitions)
        {
            States.Observe(StateNames<CircuitState>.Of(Circuit.State), now);
        }
        else if (partitions.Count <= FewPartitions || thoroughly || Circuit.State != CircuitState.Closed)
        {
            // A partition opens and closes without telling anybody its name: nothing but looking finds out.
            States.Enter(StateNames<CircuitState>.Of(Circuit.WorstState()), now, now);
        }

        States.Trim(now);
    }

    public CircuitRates Rates() => new(Math.Round(_ring?.Rate(10) ?? 0, 2), Percentiles.P50, Percentiles.P90, Percentiles.P99);

    public CircuitSample Sample() => new(
        Circuit.Name,
        Key: null,
        (int)Math.Min(LastSecond.Calls, int.MaxValue),
        (int)Math.Min(LastSecond.Failed, int.MaxValue),
        (int)Math.Min(LastSecond.RefusedByCircuit, int.MaxValue),
        Percentiles.P50,
        Percentiles.P90,
        Percentiles.P99);

    public CircuitHistory Read(Func<string, long, long?, StateSegment> convert)
    {
        var (calls, failures, refused) = _ring?.Read() ?? ([], [], []);
        return new(Circuit.Name, Key: null, calls, failures, refused, Percentiles.P50, Percentiles.P90, Percentiles.P99, States.Read(convert));
    }
}
