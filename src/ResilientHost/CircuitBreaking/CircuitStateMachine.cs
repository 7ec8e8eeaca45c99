using ResilientHost.Hosting;

namespace ResilientHost.CircuitBreaking;

/// <summary>Moves a circuit from era to era. Pure: no logging, no callbacks, no clock; every method returns the change it made.</summary>
/// <remarks>
/// Every method needs the breaker's lock; <see cref="Era"/> may be read without. A structure, because a service has one
/// breaker for each endpoint and tenant: it lives inside the breaker and costs no object.
/// </remarks>
internal struct CircuitStateMachine
{
    private CircuitEra _era;
    private int _reopens;
    private bool _probesOneAtATime;

    public CircuitStateMachine(CircuitPolicy policy, long now) =>
        _era = policy.Mode == CircuitMode.ForcedOpen
            ? CircuitEra.Create(1, CircuitState.Open, policy, now, null, null, CircuitEra.Never)
            : CircuitEra.Create(1, CircuitState.Closed, policy, now, policy.NewWindow(now), null, CircuitEra.Never);

    public readonly CircuitEra Era => Volatile.Read(in _era);

    /// <summary>Makes one move that is due by time. Called again until there is none.</summary>
    public CircuitMove? Elapse(long now, MonotonicClock clock, Random random)
    {
        var due = _era.Due;
        return now < due ? null
            : _era.State == CircuitState.Open ? Enter(CircuitState.HalfOpen, CircuitTransitionCause.BreakElapsed, due)
            : Reopen(CircuitTransitionCause.ProbesTimedOut, due, clock, random, retryAfter: null);
    }

    /// <summary>Opens a closed circuit for the first break, unless the window that pulled the trigger is gone.</summary>
    // Not unless the era is over: a reset of a closed circuit empties the window within its era, and what a call counted before must not open it after.
    public CircuitMove? Trip(CircuitWindow window, CircuitTransitionCause cause, long now, MonotonicClock clock, Random random, TimeSpan? retryAfter) =>
        window != _era.Window || !_era.AdmitsAll ? null : Open(cause, now, clock, random, retryAfter);

    /// <summary>Takes a probe's place in the half-open era; 0 when there is none.</summary>
    public readonly int TryTakeProbe(long now)
    {
        var number = _era.Probes!.TryTake(_era.Policy, now);
        SetProbesDue();
        return number;
    }

    /// <summary>Ends a probe and speaks the verdict when it is ripe.</summary>
    public CircuitMove? EndProbe(int probe, CallOutcome outcome, bool slow, long now, MonotonicClock clock, Random random, TimeSpan? retryAfter)
    {
        if (!_era.Probes!.TryEnd(_era.Policy, probe, outcome, slow))
        {
            return null;
        }

        SetProbesDue();
        return outcome == CallOutcome.Ignored ? null : JudgeProbes(now, clock, random, retryAfter);
    }

    public CircuitMove? Isolate(long now) =>
        _era.State == CircuitState.Isolated ? null : Enter(CircuitState.Isolated, CircuitTransitionCause.Manual, now);

    /// <summary>Closes the circuit with a clean slate; in ForcedOpen mode it only undoes an isolation.</summary>
    public CircuitMove? Reset(long now)
    {
        _reopens = 0;
        if (_era.Policy.Mode == CircuitMode.ForcedOpen)
        {
            return _era.State == CircuitState.Open ? null : Enter(CircuitState.Open, CircuitTransitionCause.Manual, now);
        }

        if (_era.State != CircuitState.Closed)
        {
            return Enter(CircuitState.Closed, CircuitTransitionCause.Manual, now);
        }

        Replace(_era.Policy, _era.Policy.NewWindow(now));
        return null;
    }

    /// <summary>Opens the circuit until <paramref name="until"/>; an open one only gets that end.</summary>
    public CircuitMove? ForceOpen(long now, long until)
    {
        if (_era.State == CircuitState.Isolated || _era.Policy.Mode == CircuitMode.ForcedOpen)
        {
            return null;
        }

        if (_era.State != CircuitState.Open)
        {
            CountReopen();
            return Enter(CircuitState.Open, CircuitTransitionCause.Manual, now, until);
        }

        _era.Due = until;
        return null;
    }

    /// <summary>Opens the circuit until <paramref name="until"/> for a fault that every call would run into; an open one stays so at least until then.</summary>
    public CircuitMove? Break(long now, long until, CircuitTransitionCause cause)
    {
        if (_era.State == CircuitState.Isolated || _era.Policy.Mode is CircuitMode.ForcedOpen or CircuitMode.Disabled)
        {
            return null;
        }

        _probesOneAtATime = true;
        if (_era.State != CircuitState.Open)
        {
            CountReopen();
            return Enter(CircuitState.Open, cause, now, until);
        }

        // Of calls that ran into the same fault side by side the first has opened the circuit: theirs end no later than its own would have.
        _era.Due = Math.Max(_era.Due, until);
        return null;
    }

    /// <summary>Goes by another policy from now on. State, end of the break and window stay where the policy still fits them.</summary>
    public CircuitMove? Apply(CircuitPolicy policy, long now, MonotonicClock clock, Random random)
    {
        var before = _era.Policy;
        var window = _era.Window;
        if (window is not null && !policy.CountsLike(before))
        {
            var old = window;
            window = policy.NewWindow(now);
            window.Row = old.Row;
            window.FailingCallers = old.FailingCallers?.ForNewWindow();
        }

        // Nobody is noted while nobody counts, and a caller by another name would be a second one.
        if (!policy.CountsCallers || policy.Caller != before.Caller)
        {
            window?.ForgetCallers();
        }

        Replace(policy, window);
        window?.Reconsider();
        if (policy.Mode == CircuitMode.ForcedOpen)
        {
            return Force(now);
        }

        if (before.Mode == CircuitMode.ForcedOpen && _era.State == CircuitState.Open)
        {
            _reopens = 0;
            return Enter(CircuitState.Closed, CircuitTransitionCause.Manual, now);
        }

        if (_era.Probes is not { } probes)
        {
            return null;
        }

        // Fewer probes may make the results in hand enough, and nobody else would come to say so.
        probes.Refresh(policy);
        SetProbesDue();
        return probes.Counts.Calls == 0 ? null : JudgeProbes(now, clock, random, retryAfter: null);
    }

    private CircuitMove? Force(long now)
    {
        switch (_era.State)
        {
            case CircuitState.Open:
                _era.Due = CircuitEra.Never;
                return null;
            case CircuitState.Isolated:
                return null;
            default:
                return Enter(CircuitState.Open, CircuitTransitionCause.Manual, now);
        }
    }

    private CircuitMove? JudgeProbes(long now, MonotonicClock clock, Random random, TimeSpan? retryAfter)
    {
        switch (_era.Probes!.Judge(_era.Policy))
        {
            case ProbeVerdict.Failed:
                return Reopen(CircuitTransitionCause.ProbesFailed, now, clock, random, retryAfter);
            case ProbeVerdict.Succeeded:
                _reopens = 0;
                return Enter(CircuitState.Closed, CircuitTransitionCause.ProbesSucceeded, now);
            default:
                return null;
        }
    }

    private CircuitMove Reopen(CircuitTransitionCause cause, long at, MonotonicClock clock, Random random, TimeSpan? retryAfter)
    {
        CountReopen();
        return Open(cause, at, clock, random, retryAfter);
    }

    private void CountReopen()
    {
        if (_era.State == CircuitState.HalfOpen && _reopens < int.MaxValue)
        {
            _reopens++;
        }
    }

    private CircuitMove Open(CircuitTransitionCause cause, long at, MonotonicClock clock, Random random, TimeSpan? retryAfter)
    {
        var length = _era.Policy.BreakFor(_reopens, random.NextDouble(), retryAfter);
        return Enter(CircuitState.Open, cause, at, at + Math.Max(1, clock.ToTimestampTicks(length)));
    }

    private CircuitMove Enter(CircuitState state, CircuitTransitionCause cause, long at, long due = CircuitEra.Never)
    {
        var from = _era;
        CircuitMoves.Check(from.State, state);
        _probesOneAtATime &= state is CircuitState.Open or CircuitState.HalfOpen;
        Volatile.Write(ref _era, CircuitEra.Create(
            from.Number + 1,
            state,
            from.Policy,
            at,
            state == CircuitState.Closed ? from.Policy.NewWindow(at) : null,
            state == CircuitState.HalfOpen ? new CircuitProbes(_probesOneAtATime) : null,
            due));
        return new CircuitMove(from.State, state, cause, from.Number + 1, at);
    }

    private void Replace(CircuitPolicy policy, CircuitWindow? window) =>
        Volatile.Write(ref _era, CircuitEra.Create(_era.Number, _era.State, policy, _era.Since, window, _era.Probes, _era.Due));

    private readonly void SetProbesDue() =>
        _era.Due = _era.Probes!.OldestStart is { } start ? start + _era.Policy.HalfOpenMaxTicks : CircuitEra.Never;
}
