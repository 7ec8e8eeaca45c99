using System.Diagnostics.CodeAnalysis;
using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>One worker: what it is, and where it stands. The supervision of its group moves it; everybody may read it.</summary>
internal sealed class Worker
{
    private readonly Func<WorkerSettings> _settings;
    private readonly MonotonicClock _clock;
    private readonly Lock _gate = new();
    private readonly Queue<WorkerTransition> _unpublished = new();
    private WorkerState _state;
    private int _run;
    private long _since;
    private int _restarts;
    private int _abandoned;
    private bool _isPublishing;
    private string? _lastFailure;
    private long _lastFailureAt;

    public Worker(string name, IWorkerBody body, Func<WorkerSettings> settings, MonotonicClock clock)
    {
        Name = name;
        Body = body;
        _settings = settings;
        _clock = clock;
        _since = clock.Timestamp();
        Pulse = new(clock);
    }

    public string Name { get; }

    public IWorkerBody Body { get; }

    /// <summary>How the worker is heard.</summary>
    public WorkerPulse Pulse { get; }

    /// <summary>What is in force now; a reload changes it.</summary>
    public WorkerPolicy Policy => _settings().PolicyOf(Name);

    public WorkerState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    public WorkerSnapshot Snapshot()
    {
        var now = _clock.Timestamp();
        var policy = Policy;
        var beat = Body.HasContext ? Pulse.LastBeat : null;
        lock (_gate)
        {
            return new()
            {
                Name = Name,
                State = _state,
                Since = _clock.UtcAt(_since, now),
                Restarts = _restarts,
                LastFailure = _lastFailure,
                LastFailureAt = _lastFailure is null ? null : _clock.UtcAt(_lastFailureAt, now),
                LastHeartbeat = beat is { } at ? _clock.UtcAt(at, now) : null,
                LastActivity = Pulse.Activity,
                Abandoned = _abandoned,
                Group = policy.Group,
                Criticality = policy.Criticality,
            };
        }
    }

    /// <summary>Enters a state, if the worker is in one of <paramref name="expected"/> (none given: in any but that state) and no later run has begun: what an abandoned run says of itself is not the worker's state.</summary>
    /// <returns>The change to publish, or <see langword="null"/> if there was none.</returns>
    public WorkerTransition? Enter(
        WorkerState state, WorkerTransitionCause cause, int run, Exception? exception = null, string? detail = null, params ReadOnlySpan<WorkerState> expected)
    {
        lock (_gate)
        {
            if (run < _run || _state == state || (expected.Length > 0 && !expected.Contains(_state)))
            {
                return null;
            }

            var from = _state;
            _run = run;
            _state = state;
            _since = _clock.Timestamp();
            return new(Name, from, state, cause, run, _clock.UtcNow, exception, detail);
        }
    }

    /// <summary>As <see cref="Enter"/>, and leaves the change to <see cref="Publish"/>, which tells changes in their order whoever made them.</summary>
    /// <returns>Whether there was a change.</returns>
    public bool Change(
        WorkerState state, WorkerTransitionCause cause, int run, Exception? exception = null, string? detail = null, params ReadOnlySpan<WorkerState> expected)
    {
        lock (_gate)
        {
            if (Enter(state, cause, run, exception, detail, expected) is not { } change)
            {
                return false;
            }

            _unpublished.Enqueue(change);
            return true;
        }
    }

    /// <summary>Tells what has changed and was not told. When somebody tells already, he tells this, too.</summary>
    public void Publish(IWorkerEvents events)
    {
        while (TryTakeUnpublished(out var change))
        {
            try
            {
                events.Transitioned(change);
            }
            catch (Exception)
            {
                // Who listens promised not to throw; the changes behind this one are told all the same.
            }

            lock (_gate)
            {
                _isPublishing = false;
            }
        }
    }

    public void CountRestart() => Interlocked.Increment(ref _restarts);

    public void CountAbandoned(int change) => Interlocked.Add(ref _abandoned, change);

    /// <summary>Keeps the type of what failed a run, an iteration or an item; nothing of its text.</summary>
    public void KeepFailure(Exception exception)
    {
        lock (_gate)
        {
            _lastFailure = exception.GetType().FullName;
            _lastFailureAt = _clock.Timestamp();
        }
    }

    private bool TryTakeUnpublished([NotNullWhen(true)] out WorkerTransition? change)
    {
        lock (_gate)
        {
            change = null;
            return !_isPublishing && (_isPublishing = _unpublished.TryDequeue(out change));
        }
    }
}
