using ResilientHost.Hosting;

namespace ResilientHost.History;

/// <summary>All that is kept while history is: thrown away as a whole when it is not. Not thread-safe; the recorder's lock guards it.</summary>
/// <param name="clock">Dates what is kept.</param>
/// <param name="circuits">The circuits.</param>
/// <param name="span">How long states are kept, in ticks.</param>
internal sealed class HistoryTracks(MonotonicClock clock, CircuitTracks circuits, long span)
{
    private readonly WallClock _wall = new(clock);
    private readonly StateStrip _levels = new(span);
    private readonly ServiceTrack _service = new();
    private readonly WorkerStrips _workers = new(span);
    private readonly long _second = clock.ToTimestampTicks(TimeSpan.FromSeconds(1));
    private long _secondEnds = clock.Timestamp() + clock.ToTimestampTicks(TimeSpan.FromSeconds(1));
    private long _seconds;

    public CircuitTracks Circuits => circuits;

    /// <summary>Whether a second is over.</summary>
    public bool IsDue(long now) => now >= _secondEnds;

    /// <summary>A circuit without partitions has changed its state.</summary>
    public void Enter(CircuitBreaker circuit, CircuitTransition transition, long now)
    {
        if (circuit.Partitions is null)
        {
            circuits.Find(circuit)?.States.Enter(StateNames<CircuitState>.Of(transition.To), _wall.TimestampOf(transition.At, now), now);
        }
    }

    /// <summary>The service level has changed.</summary>
    public void Enter(ServiceLevelChange change, long now) => _levels.Enter(StateNames<ServiceLevel>.Of(change.To), _wall.TimestampOf(change.At, now), now);

    /// <summary>A worker has changed its state.</summary>
    public void Enter(WorkerTransition transition, long now) => _workers.Enter(transition.Name, transition.To, _wall.TimestampOf(transition.At, now), now);

    /// <summary>Ends the second that is over, or all of them.</summary>
    public HistorySample EndSecond(long now, ServiceLevelSnapshot level, IReadOnlyList<WorkerSnapshot> workers, int inFlight)
    {
        var seconds = (int)Math.Min(((now - _secondEnds) / _second) + 1, int.MaxValue / 2);
        _secondEnds += seconds * _second;
        var slots = (int)(((_seconds + seconds) / LatencyHistory.SlotSeconds) - (_seconds / LatencyHistory.SlotSeconds));
        var thoroughly = (_seconds + seconds) / 10 != _seconds / 10;
        _seconds += seconds;
        _wall.Align(now);
        Look(level, now);
        _workers.Look(workers, _wall, now);
        circuits.EndSecond(seconds, slots, thoroughly, _service, now);
        var service = _service.EndSecond(seconds, inFlight, SaturationOf(level), level.Level);
        return new(End, [.. circuits.All.Where(static track => track.LastSecond != default).Select(static track => track.Sample())], service);
    }

    public ResilienceHistory Read(string instance, IReadOnlyList<LoggedEvent> events) => new(
        instance,
        End,
        IntervalSeconds: 1,
        [.. circuits.All.Select(track => track.Read(Segment)).OrderBy(static circuit => circuit.Name, StringComparer.Ordinal)],
        _service.Read(End),
        _levels.Read((state, from, to) => new LevelSegment(state, _wall.TimeOf(from), TimeOf(to))),
        _workers.Read(Segment),
        events);

    // Of the newest second.
    private DateTimeOffset End => _wall.TimeOf(_secondEnds - _second);

    private static double SaturationOf(ServiceLevelSnapshot level)
    {
        var worst = 0d;
        foreach (var signal in level.Signals)
        {
            if (signal is { IsEnabled: true, Value: { } value, Enter: > 0 and var enter } && double.IsFinite(value / enter))
            {
                worst = Math.Max(worst, value / enter);
            }
        }

        return worst;
    }

    private void Look(ServiceLevelSnapshot level, long now)
    {
        var state = StateNames<ServiceLevel>.Of(level.Level);
        if (_levels.Last is null)
        {
            _levels.Enter(state, _wall.TimestampOf(level.Since, now), now);
        }

        _levels.Observe(state, now);
        _levels.Trim(now);
    }

    private StateSegment Segment(string state, long from, long? to) => new(state, _wall.TimeOf(from), TimeOf(to));

    private DateTimeOffset? TimeOf(long? timestamp) => timestamp is { } known ? _wall.TimeOf(known) : null;
}
