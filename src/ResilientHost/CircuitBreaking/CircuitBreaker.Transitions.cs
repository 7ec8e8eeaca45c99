using System.Diagnostics;

using ResilientHost.CircuitBreaking;

namespace ResilientHost;

// Everything that may move the circuit: under the one lock, where only queues are touched and no user code runs.
public sealed partial class CircuitBreaker
{
    /// <summary>Refuses every call until <see cref="Reset"/>. Neither timers nor results undo it.</summary>
    /// <remarks>Of a registry's breaker with a circuit for each caller: all of them, and those that come later.</remarks>
    public void Isolate() => ForAll(static breaker => breaker.IsolateAlone());

    private void IsolateAlone()
    {
        var now = _family.Clock.CoarseTimestamp();
        lock (Gate)
        {
            ElapseUnderLock(now);
            PublishUnderLock(_machine.Isolate(now), now);
        }
    }

    /// <summary>Closes the circuit, whatever state it was in, with an empty window and no backoff.</summary>
    /// <remarks>
    /// Raises an event only if the state changed. In mode <see cref="CircuitMode.ForcedOpen"/>, which holds for as long as the
    /// configuration says so, it undoes an isolation and the circuit stays open. Of a registry's breaker with a circuit for each caller: all of them.
    /// </remarks>
    public void Reset() => ForAll(static breaker => breaker.ResetAlone());

    private void ResetAlone()
    {
        var now = _family.Clock.CoarseTimestamp();
        lock (Gate)
        {
            ElapseUnderLock(now);
            PublishUnderLock(_machine.Reset(now), now);
        }
    }

    /// <summary>Opens the circuit for a while; afterwards it half-opens as after any break.</summary>
    /// <param name="duration">
    /// How long, above zero and without a cap; null is exactly <see cref="CircuitBreakerOptions.BreakDuration"/>, without jitter.
    /// </param>
    /// <remarks>
    /// An open circuit only gets the new end, earlier or later, and raises no event. From half-open it counts as a re-open for the
    /// backoff. While isolated, or in mode <see cref="CircuitMode.ForcedOpen"/>, it changes nothing. Of a registry's breaker with a circuit for each caller: all of them,
    /// and for as long those that come.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="duration"/> is zero or negative.</exception>
    public void ForceOpen(TimeSpan? duration = null)
    {
        if (duration is { } asked)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(asked, TimeSpan.Zero, nameof(duration));
        }

        ForAll(breaker => breaker.ForceOpenAlone(duration));
    }

    private void ForceOpenAlone(TimeSpan? duration)
    {
        var now = _family.Clock.CoarseTimestamp();
        lock (Gate)
        {
            ElapseUnderLock(now);
            var length = duration ?? _machine.Era.Policy.BreakDuration;
            PublishUnderLock(_machine.ForceOpen(now, now + Math.Max(1, _family.Clock.ToTimestampTicks(length))), now);
        }
    }

    /// <summary>Opens the circuit at once and for so long, whatever its window holds: one call has found what every other would run into.</summary>
    /// <param name="duration">How long, above zero; neither jitter nor cap. An open circuit stays open for at least as long.</param>
    /// <param name="cause">What listeners are told.</param>
    /// <returns>The change of state, or null: already open, isolated, or in a mode that forces or ignores the state.</returns>
    /// <remarks>Afterwards the circuit half-opens and lets one probe at a time pass until it is closed. From half-open it counts as a re-open for the backoff. In Shadow calls still pass.</remarks>
    internal CircuitTransition? Break(TimeSpan duration, CircuitTransitionCause cause)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        var now = _family.Clock.CoarseTimestamp();
        lock (Gate)
        {
            ElapseUnderLock(now);
            return PublishUnderLock(_machine.Break(now, now + Math.Max(1, _family.Clock.ToTimestampTicks(duration)), cause), now);
        }
    }

    /// <summary>Goes by other options from now on.</summary>
    /// <param name="options">The new options; copied. Equal ones change nothing at all.</param>
    /// <remarks>
    /// State and end of the break stay. The window stays unless <see cref="CircuitBreakerOptions.SamplingDuration"/> or
    /// <see cref="CircuitBreakerOptions.WindowSize"/> changed it. Entering mode <see cref="CircuitMode.ForcedOpen"/> opens the
    /// circuit, leaving it closes the circuit; an isolation outlives both.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The options are invalid; nothing is changed.</exception>
    public void Apply(CircuitBreakerOptions options) =>
        Apply(CircuitPolicy.Create(Name, NotNull(options), _family.Clock));

    internal void Apply(CircuitPolicy policy)
    {
        // Most reloads are about something else, and a circuit that nothing ever happened to has no lock yet.
        if (policy == _machine.Era.Policy)
        {
            return;
        }

        var now = _family.Clock.CoarseTimestamp();
        lock (Gate)
        {
            if (policy != _machine.Era.Policy)
            {
                ElapseUnderLock(now);
                PublishUnderLock(_machine.Apply(policy, now, _family.Clock, _family.Services.Random), now);
            }
        }
    }

    /// <summary>Whether nothing would be lost with this breaker: it is closed and its window holds nothing.</summary>
    /// <param name="now">The time to judge by.</param>
    /// <param name="restedFor">How long nobody has asked for it: a count window forgets nothing, so its rest stands in for age.</param>
    internal bool IsIdle(long now, long restedFor)
    {
        var era = Observe(now);
        return era.Window is { } window
            && (window.Read(era.Policy, now).Calls == 0 || (era.Policy.WindowSize > 0 && restedFor >= era.Policy.SamplingTicks));
    }

    private CircuitTransition? Trip(CircuitWindow window, CircuitTransitionCause cause, long now, TimeSpan? retryAfter)
    {
        lock (Gate)
        {
            return PublishUnderLock(_machine.Trip(window, cause, now, _family.Clock, _family.Services.Random, retryAfter), now);
        }
    }

    private CircuitTransition? EndProbe(in CircuitPermit permit, CallOutcome outcome, bool slow, long now, TimeSpan? retryAfter)
    {
        lock (Gate)
        {
            // The era may have ended while this thread waited, or by the time that has passed.
            var elapsed = permit.Era == _machine.Era.Number ? ElapseUnderLock(now) : null;
            if (permit.Era != _machine.Era.Number)
            {
                CountLate(permit, outcome);
                return elapsed;
            }

            // In Disabled mode nothing is recorded, but the place is given back.
            var counted = _machine.Era.Policy.Mode == CircuitMode.Disabled ? CallOutcome.Ignored : outcome;
            return PublishUnderLock(
                _machine.EndProbe(permit.Probe, counted, slow, now, _family.Clock, _family.Services.Random, retryAfter),
                now);
        }
    }

    private CircuitEra Observe()
    {
        var era = _machine.Era;
        return era.Due == CircuitEra.Never ? era : Observe(_family.Clock.CoarseTimestamp());
    }

    private CircuitEra Observe(long now)
    {
        var era = _machine.Era;
        if (now < era.Due)
        {
            return era;
        }

        lock (Gate)
        {
            ElapseUnderLock(now);
            return _machine.Era;
        }
    }

    /// <summary>Makes every move that time alone has brought about: a lost probe's era may be followed by a whole break.</summary>
    /// <returns>The first of them.</returns>
    private CircuitTransition? ElapseUnderLock(long now)
    {
        CircuitTransition? first = null;
        while (_machine.Elapse(now, _family.Clock, _family.Services.Random) is { } move)
        {
            var transition = PublishUnderLock(move, now, byTime: true);
            first ??= transition;
            CloseIfNobodyProbesUnderLock(now);
        }

        return first;
    }

    private CircuitTransition? PublishUnderLock(CircuitMove? made, long now, bool byTime = false)
    {
        if (made is not { } move)
        {
            return null;
        }

        var at = _family.Clock.UtcAt(move.At, now);
        var transition = new CircuitTransition(Name, move.From, move.To, move.Cause, move.Era, at)
        {
            // Whoever happens to look at a circuit whose break is over has not ended it.
            TraceId = byTime ? null : CurrentTraceId(),
        };
        TellUnderLock(transition);
        return transition;
    }

    private static string? CurrentTraceId() =>
        Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity && activity.TraceId != default ? activity.TraceId.ToHexString() : null;
}
