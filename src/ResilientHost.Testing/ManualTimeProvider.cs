namespace ResilientHost.Testing;

/// <summary>A clock and its timers that move only when a test says so.</summary>
/// <remarks>
/// Thread-safe. <see cref="Advance"/> fires every timer that falls due, in order of due time (of arming, where these are equal), on the
/// calling thread, each seeing the clock at its own due time and in the execution context that created the timer. A timer armed for
/// now fires with the next <see cref="Advance"/>, zero included. A callback that throws does not stop the others; the exceptions surface from
/// <see cref="Advance"/> as one <see cref="AggregateException"/>. Callbacks may arm, change and dispose timers and advance further.
/// Each call of <see cref="Advance"/> has its target from the time it begins: two that overlap do not add up.
/// </remarks>
public sealed class ManualTimeProvider : TimeProvider
{
    private const int MaxFiringsAtOneInstant = 1_000_000;
    private static readonly TimeSpan MaxTimerDuration = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _utcNow;
    private long _timestamp;
    private long _nextOrder;
    private int _firingsAtThisInstant;

    /// <summary>Creates a clock that stands at 2030-01-01T00:00:00Z.</summary>
    public ManualTimeProvider()
        : this(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
    }

    /// <summary>Creates a clock that stands at <paramref name="start"/>.</summary>
    /// <param name="start">The first wall-clock time.</param>
    public ManualTimeProvider(DateTimeOffset start) => _utcNow = start.ToUniversalTime();

    /// <summary>Number of timers that are armed: what is left after a test tells of a leak.</summary>
    public int ArmedTimers
    {
        get
        {
            lock (_gate)
            {
                return _timers.Count;
            }
        }
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>UTC, so that tests read the same everywhere.</summary>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _utcNow;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref _timestamp);

    /// <summary>Moves both clocks forward and fires what falls due.</summary>
    /// <param name="by">How far; not negative. Time never runs backwards: see <see cref="SetUtcNow"/> for a wall clock that jumps.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="by"/> is negative, or leads beyond what a clock can show.</exception>
    /// <exception cref="AggregateException">A timer callback threw.</exception>
    /// <exception cref="InvalidOperationException">A timer arms itself for now again and again, so that time would never pass.</exception>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        List<Exception>? errors = null;
        var target = TargetOf(by);
        while (TakeNextDue(target) is { } timer)
        {
            try
            {
                timer.Fire();
            }
            catch (Exception error)
            {
                (errors ??= []).Add(error);
            }
        }

        if (errors is not null)
        {
            throw new AggregateException("A timer callback threw while manual time was advanced.", errors);
        }
    }

    /// <summary>Makes the wall clock jump, as an administrator or NTP would. Timestamps and timers are not affected.</summary>
    /// <param name="value">The new wall-clock time; may lie in the past.</param>
    public void SetUtcNow(DateTimeOffset value)
    {
        lock (_gate)
        {
            _utcNow = value.ToUniversalTime();
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(this, callback, state, ExecutionContext.Capture());
        timer.Change(dueTime, period);
        return timer;
    }

    private long TargetOf(TimeSpan by)
    {
        lock (_gate)
        {
            // Refused before anything moves: a clock that overflows half-way would leave its timers half-fired.
            ArgumentOutOfRangeException.ThrowIfGreaterThan(by, DateTimeOffset.MaxValue - _utcNow);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(by.Ticks, long.MaxValue - _timestamp, nameof(by));
            _firingsAtThisInstant = 0;
            return _timestamp + by.Ticks;
        }
    }

    private ManualTimer? TakeNextDue(long target)
    {
        lock (_gate)
        {
            ManualTimer? next = null;
            foreach (var timer in _timers)
            {
                if (timer.Due <= target && (next is null || (timer.Due, timer.Order).CompareTo((next.Due, next.Order)) < 0))
                {
                    next = timer;
                }
            }

            if (next is null)
            {
                // In the same critical section as the search: a timer armed by another thread either fires now or is due later.
                MoveTo(target);
                return null;
            }

            MoveTo(next.Due);
            if (++_firingsAtThisInstant > MaxFiringsAtOneInstant)
            {
                throw new InvalidOperationException($"{MaxFiringsAtOneInstant} timers fired without any time passing: one of them arms itself for now in its callback.");
            }

            if (next.Period is { } period)
            {
                next.Due += period.Ticks;
                next.Order = _nextOrder++;
            }
            else
            {
                _timers.Remove(next);
            }

            return next;
        }
    }

    private void MoveTo(long timestamp)
    {
        if (timestamp > _timestamp)
        {
            _utcNow += TimeSpan.FromTicks(timestamp - _timestamp);
            Volatile.Write(ref _timestamp, timestamp);
            _firingsAtThisInstant = 0;
        }
    }

    private sealed class ManualTimer(ManualTimeProvider owner, TimerCallback callback, object? state, ExecutionContext? context) : ITimer
    {
        private bool _disposed;

        public long Due { get; set; }

        public long Order { get; set; }

        public TimeSpan? Period { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            ThrowIfNotTimerDuration(dueTime, nameof(dueTime));
            ThrowIfNotTimerDuration(period, nameof(period));
            lock (owner._gate)
            {
                owner._timers.Remove(this);
                if (_disposed)
                {
                    return false;
                }

                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = owner._timestamp + dueTime.Ticks;
                    Order = owner._nextOrder++;
                    Period = period > TimeSpan.Zero ? period : null;
                    owner._timers.Add(this);
                }

                return true;
            }
        }

        public void Fire()
        {
            if (context is null)
            {
                callback(state);
            }
            else
            {
                ExecutionContext.Run(context, state => callback(state), state);
            }
        }

        public void Dispose()
        {
            lock (owner._gate)
            {
                _disposed = true;
                owner._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        // The bounds of the system's timers, so that what a test accepts runs in production too.
        private static void ThrowIfNotTimerDuration(TimeSpan value, string name)
        {
            if (value != Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, name);
                ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxTimerDuration, name);
            }
        }
    }
}
