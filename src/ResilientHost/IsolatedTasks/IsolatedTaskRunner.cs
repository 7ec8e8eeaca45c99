using ResilientHost.Hosting;

namespace ResilientHost.IsolatedTasks;

/// <summary>Runs isolated tasks: admits, starts them at a measured pace, knows those that live, and drains.</summary>
/// <remarks>
/// One short lock owns which tasks live; no code of the application's runs under it. Starts take turns with everything else that waits for the thread pool: one is queued at a
/// time, so that a request that comes behind ten thousand tasks waits for one of them.
/// </remarks>
internal sealed partial class IsolatedTaskRunner : IIsolatedTasks, IThreadPoolWorkItem, IDisposable
{
    /// <summary>Names told apart; further ones share one track, its bound included.</summary>
    public const int MaxNames = 256;

    private static readonly TimeSpan StartPatience = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, IsolatedTaskTrack> _tracks = new(StringComparer.Ordinal);
    private readonly Queue<IsolatedTask> _waiting = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Func<IsolatedTaskPolicy> _policy;
    private readonly MonotonicClock _clock;
    private readonly LogScopes _scopes;
    private readonly IsolatedTaskLog _log;
    private readonly IsolatedTaskMetrics _metrics;
    private readonly Func<IsolatedTask, TimeSpan> _ageOf;
    private readonly Timer _relief;
    private int _live;
    private int _start;
    private int _seen;
    private bool _isStarting;
    private bool _isQueued;

    public IsolatedTaskRunner(Func<IsolatedTaskPolicy> policy, MonotonicClock clock, LogScopes scopes, IsolatedTaskLog log, IsolatedTaskMetrics metrics)
    {
        _policy = policy;
        _clock = clock;
        _scopes = scopes;
        _log = log;
        _metrics = metrics;
        _ageOf = task => clock.Elapsed(task.Started, clock.Timestamp());
        metrics.Observe(Snapshot);

        // Real time, whatever the registered clock: work that blocks its thread must not keep the others from starting.
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
        {
            _relief = new Timer(static state => ((IsolatedTaskRunner)state!).Relieve(), this, Timeout.Infinite, Timeout.Infinite);
        }
    }

    public Task<CallOutcome> Run(string name, Func<CancellationToken, Task> work, string member = "", string file = "", int line = 0)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(member);
        ArgumentNullException.ThrowIfNull(file);
        var task = Admit(name, work, new TaskOrigin(member, file, line));

        // Copying scopes runs code of the application's: outside the lock, and only for what was admitted.
        task.Context = CarriedContext.Capture(_scopes);
        Queue(task);
        return task.Completion;
    }

    /// <summary>Every name that was ever used, those with the most live tasks first.</summary>
    public IReadOnlyList<IsolatedTaskSnapshot> Snapshot()
    {
        var now = _clock.Timestamp();
        lock (_gate)
        {
            return [.. _tracks.Values
                .Select(track => Snapshot(track, now))
                .OrderByDescending(track => track.Live)
                .ThenBy(track => track.Name, StringComparer.Ordinal)];
        }
    }

    /// <summary>Looks for leaks. One thread at a time.</summary>
    public void Look()
    {
        var policy = _policy();
        var now = _clock.Timestamp();
        var window = _clock.ToTimestampTicks(policy.LeakWindow);
        List<(IsolatedTaskSnapshot Track, LeakChange Change, int Growth)>? changes = null;
        lock (_gate)
        {
            foreach (var track in _tracks.Values)
            {
                var oldestAge = track.Oldest is { } oldest ? now - oldest.Started : 0;
                var change = track.Leak.Observe(now, track.Live, oldestAge, window, policy.LeakThreshold);
                if (change != LeakChange.None)
                {
                    (changes ??= []).Add((Snapshot(track, now), change, track.Leak.Growth));
                }
            }
        }

        foreach (var (track, change, growth) in changes ?? [])
        {
            if (change == LeakChange.Began)
            {
                _log.LeakBegan(track, growth, policy.LeakWindow);
            }
            else
            {
                _log.LeakEnded(track);
            }
        }
    }

    /// <summary>Starts the next task that waits.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        IsolatedTask task;
        int start;
        lock (_gate)
        {
            _isQueued = false;
            task = _waiting.Dequeue();
            start = ++_start;
        }

        _ = RunAsync(task);
        lock (_gate)
        {
            if (start == _start)
            {
                StartNext();
            }
        }
    }

    /// <summary>One at a time, each at the end of the pool's queue, behind whatever came meanwhile: a burst of tasks leaves the other processors to requests. Under the lock.</summary>
    private void StartNext()
    {
        _start++;
        if (_waiting.Count > 0)
        {
            _isQueued = true;

            // Unsafe: the execution context stays with the caller.
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else
        {
            _isStarting = false;
            _relief.Change(Timeout.Infinite, Timeout.Infinite);
        }
    }

    /// <summary>The start under way may block its thread for as long as it likes: when it takes long, the next one begins beside it.</summary>
    private void Relieve()
    {
        lock (_gate)
        {
            if (_isStarting && !_isQueued && _start == _seen)
            {
                StartNext();
            }

            _seen = _start;
        }
    }

    private IsolatedTask Admit(string name, Func<CancellationToken, Task> work, TaskOrigin origin)
    {
        var policy = _policy();
        IsolatedTaskTrack track;
        RefusalReason reason;
        int live;
        lock (_gate)
        {
            track = TrackOf(name);
            var isFull = policy.Enabled && (track.Live >= policy.MaxTasksPerName || _live >= policy.MaxTasks);
            if (!_isDraining && !isFull)
            {
                var task = new IsolatedTask(track, work, _clock.Timestamp(), origin);
                track.Add(task);
                _live++;
                return task;
            }

            reason = _isDraining ? RefusalReason.Shed : RefusalReason.BulkheadFull;
            live = track.Live;
        }

        _metrics.Refused(track.Name, reason);
        _log.Refused(track.Name, reason, live, origin);
        throw new RefusedException(new Refusal(reason, name, RetryAfter: null));
    }

    private void Queue(IsolatedTask task)
    {
        lock (_gate)
        {
            _waiting.Enqueue(task);
            if (!_isStarting)
            {
                _isStarting = true;
                _relief.Change(StartPatience, StartPatience);
                StartNext();
            }
        }
    }

    private async Task RunAsync(IsolatedTask task)
    {
        var outcome = await task.RunAsync(_scopes, _log, _ageOf, _stopping.Token);
        _metrics.Ended(task.Track.Name, outcome, _ageOf(task));
        TaskCompletionSource? drained = null;
        lock (_gate)
        {
            task.Track.Remove(task);
            if (--_live == 0)
            {
                drained = _drained;
            }
        }

        task.Complete(outcome);
        drained?.TrySetResult();
    }

    // Under the lock.
    private IsolatedTaskTrack TrackOf(string name)
    {
        if (_tracks.TryGetValue(name, out var track))
        {
            return track;
        }

        // Never given up again: a name is a series of metrics, and what bounds those must bound them for the life of the process.
        var key = _tracks.Count < MaxNames ? name : IsolatedTaskNames.Other;
        if (!_tracks.TryGetValue(key, out track))
        {
            track = new IsolatedTaskTrack(key);
            _tracks.Add(key, track);
        }

        return track;
    }

    // Under the lock.
    private IsolatedTaskSnapshot Snapshot(IsolatedTaskTrack track, long now) => track.Oldest is { } oldest
        ? new(track.Name, track.Live, _clock.Elapsed(oldest.Started, now), oldest.Origin.ToString(), oldest.Context.TraceId, track.Leak.IsLeaking)
        : new(track.Name, 0, TimeSpan.Zero, Origin: null, TraceId: null, track.Leak.IsLeaking);
}
