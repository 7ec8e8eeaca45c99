using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Degradation;

/// <summary>The service level of the process: what the signals ask for, what a person says instead, and what follows for requests.</summary>
/// <remarks>Thread-safe. Reading takes no lock unless an override has just run out.</remarks>
internal sealed partial class DegradationControl : IServiceLevel, IDisposable
{
    private const int MaxNameLength = 128;

    private readonly Lock _lock = new();
    private readonly MonotonicClock _clock;
    private readonly DegradationLog _log;

    public DegradationControl(Func<DegradationPolicy> policy, MonotonicClock clock, DegradationLog log)
    {
        _clock = clock;
        _log = log;
        _policy = policy();
        _origin = clock.Timestamp();
        _since = clock.UtcNow;
        _entries = new BoundedListener<Action>(static write => write(), failed: null);
    }

    /// <inheritdoc/>
    public event Action<ServiceLevelChange>? Changed
    {
        add
        {
            foreach (var handler in Delegate.EnumerateInvocationList(value))
            {
                lock (_lock)
                {
                    _listeners = [.. _listeners, new BoundedListener<ServiceLevelChange>(handler, (_, exception) => _log.ListenerFailed(exception))];
                }
            }
        }

        remove
        {
            foreach (var handler in Delegate.EnumerateInvocationList(value))
            {
                lock (_lock)
                {
                    if (Array.FindLast(_listeners, known => known.Handler == handler) is { } listener)
                    {
                        listener.Remove();
                        _listeners = [.. _listeners.Where(known => known != listener)];
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public ServiceLevel Current => Shedding.Level;

    /// <inheritdoc/>
    public DegradationMode Mode
    {
        get
        {
            if (Shedding is { IsActive: true } shedding)
            {
                return shedding.IsEnforced ? DegradationMode.Enforce : DegradationMode.Shadow;
            }

            lock (_lock)
            {
                return IsEnforcedUnderLock() ? DegradationMode.Enforce : DegradationMode.Shadow;
            }
        }
    }

    /// <summary>What is in force for requests at this moment.</summary>
    public Shedding Shedding
    {
        get
        {
            ExpireIfDue();
            return Shedding.Read(ref _shedding);
        }
    }

    /// <summary>Whether any request could be turned down or counted: one memory read. An override that has run out may show until its timer fires.</summary>
    public bool IsShedding => Shedding.Read(ref _shedding).IsActive;

    /// <summary>The policy in force.</summary>
    public DegradationPolicy Policy => Volatile.Read(ref _policy);

    /// <summary>Whether any endpoint says its criticality, which tells what <see cref="DegradationOptions.Mode"/> null means.</summary>
    public bool EndpointsSayCriticality
    {
        get
        {
            lock (_lock)
            {
                return _endpointsSayCriticality;
            }
        }

        set
        {
            lock (_lock)
            {
                _endpointsSayCriticality = value;
                SettleUnderLock(ServiceLevelCause.OverrideEnded, by: null);
            }
        }
    }

    /// <inheritdoc/>
    public ServiceLevelSnapshot Snapshot()
    {
        var now = _clock.Timestamp();
        lock (_lock)
        {
            ExpireUnderLock(now);
            return new ServiceLevelSnapshot
            {
                Level = _level,
                Since = _since,
                SignalledLevel = _machine.Level,
                Severity = _machine.Severity,
                IsOverridden = _override is not null,
                OverriddenUntil = _override?.Until,
                Mode = IsEnforcedUnderLock() ? DegradationMode.Enforce : DegradationMode.Shadow,
                Signals = _board.Readings(_policy),
            };
        }
    }

    /// <inheritdoc/>
    public void Override(ServiceLevel level, TimeSpan? expiresIn = null, string? by = null)
    {
        ThrowIfUndefined(level, nameof(level));
        if (expiresIn is { } asked)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(asked, TimeSpan.Zero, nameof(expiresIn));
        }

        var now = _clock.Timestamp();
        var name = Kept(by);
        lock (_lock)
        {
            ExpireUnderLock(now);
            _override = expiresIn is { } duration
                ? new LevelOverride(level, now + _clock.ToTimestampTicks(duration), UtcAfter(duration), name)
                : new LevelOverride(level, Never, Until: null, name);
            Volatile.Write(ref _due, _override.Due);
            ArmUnderLock(now);
            var (told, signalled) = (_override, _machine.Level);
            _entries.Enqueue(() => _log.Overridden(told, signalled));
            SettleUnderLock(ServiceLevelCause.Override, name);
        }
    }

    /// <inheritdoc/>
    public void ClearOverride(string? by = null)
    {
        var now = _clock.Timestamp();
        lock (_lock)
        {
            ExpireUnderLock(now);
            if (_override is not null)
            {
                EndOverrideUnderLock(hasExpired: false, Kept(by));
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask WaitUntilAtMostAsync(ServiceLevel highest, CancellationToken cancellationToken = default)
    {
        ThrowIfUndefined(highest, nameof(highest));
        if (Current <= highest)
        {
            return ValueTask.CompletedTask;
        }

        lock (_lock)
        {
            if (_level <= highest)
            {
                return ValueTask.CompletedTask;
            }

            var relief = _reliefs[(int)highest] ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(relief.Task.WaitAsync(cancellationToken));
        }
    }

    /// <summary>Goes by another policy from now on. Level, severity, override and the course of the signals stay, unless the layer is turned off.</summary>
    internal void Apply(DegradationPolicy policy)
    {
        lock (_lock)
        {
            Volatile.Write(ref _policy, policy);
            if (!policy.Enabled)
            {
                _board.Forget();
                _machine.Reset();
                _observed = null;
            }

            SettleUnderLock(ServiceLevelCause.OverrideEnded, by: null);
        }
    }

    /// <summary>Says which signals there are, before they are observed.</summary>
    internal void Watch(SignalBoard board)
    {
        lock (_lock)
        {
            _board = board;
            _observed = null;
        }
    }

    /// <summary>Takes one reading of each signal that is watched. Allocates nothing unless the level changes.</summary>
    /// <param name="now">Exact timestamp of the readings.</param>
    /// <param name="raw">In the order of the board.</param>
    internal void Observe(long now, ReadOnlySpan<double> raw)
    {
        lock (_lock)
        {
            ExpireUnderLock(now);
            if (!_policy.Enabled)
            {
                return;
            }

            var pressure = _board.Observe(raw, _observed is { } last ? _clock.Elapsed(last, now) : TimeSpan.Zero, _policy);
            _observed = now;
            var age = _clock.Elapsed(_origin, now);
            var move = _machine.Observe(age, age < _policy.StartupGrace ? SignalPressure.Falling : pressure, _policy);
            SettleUnderLock(move is { IsUp: true } ? ServiceLevelCause.Overload : ServiceLevelCause.Recovery, by: null);
        }
    }

    /// <summary>Whether the signals ask for less than everything, and that one keeps it so.</summary>
    internal bool IsHeldBy(int signal)
    {
        lock (_lock)
        {
            return _machine.Level != ServiceLevel.Normal && _board.Holds(signal, _policy);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }

    private static void ThrowIfUndefined(ServiceLevel level, string parameter)
    {
        if (!Enum.IsDefined(level))
        {
            throw new ArgumentOutOfRangeException(parameter, level, "There is no such service level: Normal, Reduced, Essential or Survival.");
        }
    }

    private static string? Kept(string? by)
    {
        if (string.IsNullOrWhiteSpace(by) || by.Length <= MaxNameLength)
        {
            return string.IsNullOrWhiteSpace(by) ? null : by;
        }

        // Half a character would be no text.
        return by[..(char.IsHighSurrogate(by[MaxNameLength - 1]) ? MaxNameLength - 1 : MaxNameLength)];
    }

    private DateTimeOffset UtcAfter(TimeSpan duration)
    {
        var now = _clock.UtcNow;
        return duration < DateTimeOffset.MaxValue - now ? now + duration : DateTimeOffset.MaxValue;
    }
}
