namespace ResilientHost.History;

/// <summary>The states of each worker. Not thread-safe.</summary>
/// <param name="span">How long they are kept, in ticks.</param>
internal sealed class WorkerStrips(long span)
{
    private readonly SortedDictionary<string, StateStrip> _strips = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A worker has changed its state.</summary>
    public void Enter(string worker, WorkerState state, long at, long now) => Of(worker).Enter(StateNames<WorkerState>.Of(state), at, now);

    /// <summary>Compares with what is seen.</summary>
    public void Look(IReadOnlyList<WorkerSnapshot> workers, WallClock clock, long now)
    {
        foreach (var worker in workers)
        {
            var strip = Of(worker.Name);
            if (strip.Last is null)
            {
                strip.Enter(StateNames<WorkerState>.Of(worker.State), clock.TimestampOf(worker.Since, now), now);
            }

            strip.Observe(StateNames<WorkerState>.Of(worker.State), now);
            strip.Trim(now);
        }
    }

    public IReadOnlyList<WorkerHistory> Read(Func<string, long, long?, StateSegment> convert) =>
        [.. _strips.Select(strip => new WorkerHistory(strip.Key, strip.Value.Read(convert)))];

    private StateStrip Of(string worker)
    {
        if (!_strips.TryGetValue(worker, out var strip))
        {
            _strips[worker] = strip = new(span);
        }

        return strip;
    }
}
