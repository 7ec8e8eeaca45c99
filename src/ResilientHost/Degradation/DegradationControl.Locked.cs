using ResilientHost.Telemetry;

namespace ResilientHost.Degradation;

// Everything that moves the level: under the one lock, where only queues are touched and no user code runs.
internal sealed partial class DegradationControl
{
    private const long Never = long.MaxValue;

    // Timers take 49 days at most; an override may last longer.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);
    private static readonly TimeSpan ShortestTimer = TimeSpan.FromMilliseconds(1);

    private readonly ServiceLevelMachine _machine = new();
    private readonly BoundedListener<Action> _entries;
    private readonly TaskCompletionSource?[] _reliefs = new TaskCompletionSource?[Enum.GetValues<ServiceLevel>().Length];
    private readonly long _origin;
    private BoundedListener<ServiceLevelChange>[] _listeners = [];
    private SignalBoard _board = new([]);
    private DegradationPolicy _policy;
    private bool _endpointsSayCriticality;
    private LevelOverride? _override;
    private ITimer? _timer;
    private bool _disposed;
    private long? _observed;
    private ServiceLevel _level;
    private DateTimeOffset _since;

    // Read without the lock.
    private long _due = Never;
    private double _shedding;

    private void ExpireIfDue()
    {
        var due = Volatile.Read(ref _due);
        if (due == Never)
        {
            return;
        }

        var now = _clock.CoarseTimestamp();
        if (now >= due)
        {
            lock (_lock)
            {
                ExpireUnderLock(now);
            }
        }
    }

    private void OnTimer()
    {
        var now = _clock.Timestamp();
        lock (_lock)
        {
            ExpireUnderLock(now);

            // Timers are coarser than timestamps, and long waits go in several.
            ArmUnderLock(now);
        }
    }

    private void ExpireUnderLock(long now)
    {
        if (_override is { } standing && now >= standing.Due)
        {
            EndOverrideUnderLock(hasExpired: true, by: null);
        }
    }

    private void EndOverrideUnderLock(bool hasExpired, string? by)
    {
        var ended = _override!;
        _override = null;
        Volatile.Write(ref _due, Never);
        _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        SettleUnderLock(ServiceLevelCause.OverrideEnded, by);
        var level = _level;
        _entries.Enqueue(() => _log.OverrideEnded(ended, level, hasExpired, by));
    }

    private void ArmUnderLock(long now)
    {
        if (_disposed || (_timer is null && _override is not { Due: < Never }))
        {
            return;
        }

        if (_timer is null)
        {
            // Made by whoever sets the first override; the changes that follow are not part of that one's trace.
            using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
            {
                _timer = _clock.Provider.CreateTimer(static state => ((DegradationControl)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        var wait = _override is { Due: < Never } standing ? _clock.Elapsed(now, standing.Due) : Timeout.InfiniteTimeSpan;
        _timer.Change(
            wait == Timeout.InfiniteTimeSpan ? wait : wait < ShortestTimer ? ShortestTimer : wait > LongestTimer ? LongestTimer : wait,
            Timeout.InfiniteTimeSpan);
    }

    private bool IsEnforcedUnderLock() =>
        _override is not null || (_policy.Mode ?? (_endpointsSayCriticality ? DegradationMode.Enforce : DegradationMode.Shadow)) == DegradationMode.Enforce;

    /// <summary>Puts in force what follows from policy, override and signals, and tells if the level changed by it.</summary>
    private void SettleUnderLock(ServiceLevelCause cause, string? by)
    {
        var severity = !_policy.Enabled ? 0 : _override is { } standing ? (double)standing.Level : _machine.Severity;
        new Shedding(severity, IsEnforcedUnderLock()).Write(ref _shedding);

        var level = Shedding.LevelOf(severity);
        if (level == _level)
        {
            return;
        }

        TellUnderLock(level, cause, by);
    }

    // Apart, so that settling without a change makes no closure.
    private void TellUnderLock(ServiceLevel level, ServiceLevelCause cause, string? by)
    {
        var change = new ServiceLevelChange(_level, level, cause, _clock.UtcNow, _board.Readings(_policy))
        {
            Signal = cause is ServiceLevelCause.Overload or ServiceLevelCause.Recovery ? _board.Worst : null,
            By = by,
        };
        (_level, _since) = (level, change.At);
        foreach (var listener in _listeners)
        {
            listener.Enqueue(change);
        }

        var isEnforced = IsEnforcedUnderLock();
        _entries.Enqueue(() => _log.Changed(change, isEnforced));
        RelieveUnderLock(level);
    }

    private void RelieveUnderLock(ServiceLevel level)
    {
        for (var highest = (int)level; highest < _reliefs.Length; highest++)
        {
            _reliefs[highest]?.TrySetResult();
            _reliefs[highest] = null;
        }
    }
}

/// <summary>A level that a person or code has set.</summary>
/// <param name="Level">The level.</param>
/// <param name="Due">Timestamp at which it ends; <see cref="long.MaxValue"/> when only clearing ends it.</param>
/// <param name="Until">The same on the wall clock.</param>
/// <param name="By">Who set it.</param>
internal sealed record LevelOverride(ServiceLevel Level, long Due, DateTimeOffset? Until, string? By);
