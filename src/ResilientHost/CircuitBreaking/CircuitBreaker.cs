using System.Runtime.CompilerServices;

using ResilientHost.CircuitBreaking;
using ResilientHost.History;

namespace ResilientHost;

/// <summary>
/// Stops calling what keeps failing: counts outcomes, opens when failures, slow calls or a row of failures reach their
/// threshold, and lets a few probes decide when to close again.
/// </summary>
/// <remarks>
/// <para>
/// Ask <see cref="TryEnter(out CircuitPermit, out Refusal)"/> before the call, and tell <see cref="Exit(in CircuitPermit, CallOutcome)"/>
/// its outcome afterwards, once, on every path. An admitted call that never exits is harmless unless it was a probe; then
/// <see cref="CircuitBreakerOptions.HalfOpenMaxDuration"/> ends the wait.
/// </para>
/// <para>
/// Thread-safe. While the circuit is closed neither method takes a lock, or allocates but for what its window needs once. States follow from time: an open circuit
/// whose break has elapsed is half-open, whether or not a call came. Results of permits from an earlier era change nothing.
/// Half-open, probes are judged by <see cref="CircuitBreakerOptions.FailureRatio"/> and
/// <see cref="CircuitBreakerOptions.SlowCallRatio"/> over <see cref="CircuitBreakerOptions.HalfOpenProbes"/>; with a null
/// failure ratio and <see cref="CircuitBreakerOptions.ConsecutiveFailures"/> on, any failed probe re-opens the circuit.
/// </para>
/// </remarks>
public sealed partial class CircuitBreaker
{
    private readonly CircuitFamily _family;
    private CircuitStateMachine _machine;
    private CircuitExtras? _extras;

    /// <summary>Makes a closed circuit (open in mode <see cref="CircuitMode.ForcedOpen"/>).</summary>
    /// <param name="name">What refusals, events and telemetry call it.</param>
    /// <param name="options">How it judges; copied.</param>
    /// <param name="timeProvider">Its clock; null is the system's.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or empty.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The options are invalid; tells every error.</exception>
    public CircuitBreaker(string name, CircuitBreakerOptions options, TimeProvider? timeProvider = null)
        : this(name, options, new CircuitServices(timeProvider))
    {
    }

    internal CircuitBreaker(string name, CircuitBreakerOptions options, CircuitServices services)
        : this(CheckName(name), CircuitPolicy.Create(name, NotNull(options), services.Clock), services)
    {
    }

    internal CircuitBreaker(string name, CircuitPolicy policy, CircuitServices services)
        : this(new CircuitFamily(name, services, []), policy)
    {
    }

    /// <summary>Makes a circuit that shares its name and listeners with others.</summary>
    internal CircuitBreaker(CircuitFamily family, CircuitPolicy policy)
    {
        _family = family;
        _machine = new CircuitStateMachine(policy, family.Clock.CoarseTimestamp());
    }

    /// <summary>What refusals, events and telemetry call this breaker.</summary>
    public string Name => _family.Name;

    /// <summary>Counts its calls for the history, by whoever makes them; <see langword="null"/> while none is kept. Of a breaker with partitions, those of all.</summary>
    internal CallWatch? Watch
    {
        get => Volatile.Read(ref _extras)?.Watch;
        set
        {
            if (value is not null || Watch is not null)
            {
                Extras().Watch = value;
            }
        }
    }

    internal CircuitPolicy Policy => _machine.Era.Policy;

    private Lock Gate => Extras().Gate;

    /// <summary>Asks for admission.</summary>
    /// <param name="permit">What to give to <see cref="Exit(in CircuitPermit, CallOutcome)"/>; the default permit when refused or disabled.</param>
    /// <param name="refusal">Why not; the default value when admitted.</param>
    /// <returns>Whether the call may go on. Always true in <see cref="CircuitMode.Shadow"/> and <see cref="CircuitMode.Disabled"/>.</returns>
    public bool TryEnter(out CircuitPermit permit, out Refusal refusal)
    {
        var era = _machine.Era;
        if (era.AdmitsAll)
        {
            permit = era.MeasuresCalls
                ? new CircuitPermit(era.Number, Now(era.Policy), 0)
                : CircuitPermit.Unmeasured(era.Number);
            refusal = default;
            return true;
        }

        return TryEnterGuarded(era, _family.Clock.CoarseTimestamp(), isExact: false, out permit, out refusal);
    }

    /// <summary>As <see cref="TryEnter(out CircuitPermit, out Refusal)"/>, for a caller that has read the exact clock.</summary>
    internal bool TryEnter(long timestamp, out CircuitPermit permit, out Refusal refusal)
    {
        var era = _machine.Era;
        if (era.AdmitsAll)
        {
            permit = new CircuitPermit(era.Number, timestamp, 0);
            refusal = default;
            return true;
        }

        return TryEnterGuarded(era, timestamp, isExact: true, out permit, out refusal);
    }

    /// <summary>Tells the outcome of an admitted call. The call that trips the circuit still returns its own result.</summary>
    /// <param name="permit">The permit of the call. The default permit, and a probe's that ended already, do nothing.</param>
    /// <param name="outcome">How the call ended. <see cref="CallOutcome.Ignored"/> counts nowhere and gives a probe's place back.</param>
    /// <returns>The change of state that this call brought about, or null.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="outcome"/> is not one of the enumeration's values.</exception>
    public CircuitTransition? Exit(in CircuitPermit permit, CallOutcome outcome)
    {
        var era = _machine.Era;
        if (IsSuccessWhileClosed(era, permit, outcome) && EndOf(era.Policy, permit) is var now && !IsSlow(era.Policy, permit, now))
        {
            return CountSuccess(era, now);
        }

        return Exit(permit, outcome, retryAfter: null);
    }

    /// <summary>As <see cref="Exit(in CircuitPermit, CallOutcome)"/>, with what the upstream said about when to come back.</summary>
    /// <param name="permit">The permit of the call.</param>
    /// <param name="outcome">How the call ended.</param>
    /// <param name="retryAfter">
    /// The upstream's Retry-After. Lengthens the break that this call brings about, up to <see cref="CircuitBreakerOptions.MaxBreakDuration"/>;
    /// never shortens it, and does not open a circuit by itself.
    /// </param>
    /// <returns>The change of state that this call brought about, or null.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="outcome"/> is not one of the enumeration's values.</exception>
    public CircuitTransition? Exit(in CircuitPermit permit, CallOutcome outcome, TimeSpan? retryAfter)
    {
        var era = _machine.Era;
        if (IsOfNoConcern(era, permit, outcome))
        {
            return null;
        }

        return End(era, permit, outcome, EndOf(era.Policy, permit), AnonymousCaller, retryAfter);
    }

    /// <summary>As <see cref="Exit(in CircuitPermit, CallOutcome)"/>, for a caller that has read the exact clock.</summary>
    internal CircuitTransition? Exit(in CircuitPermit permit, CallOutcome outcome, long timestamp) => Exit(permit, outcome, timestamp, AnonymousCaller);

    /// <summary>Whether a call at this moment would be refused. Takes no permit and counts nothing.</summary>
    internal bool IsRefusing(long timestamp, out Refusal refusal)
    {
        var era = _machine.Era;
        if (!era.AdmitsAll)
        {
            era = Observe(timestamp);
            if (era.RefusesAll || (era.Policy.IsEnforcing && era.Probes is { IsFull: true }))
            {
                refusal = new Refusal(RefusalReason.CircuitOpen, Name, RemainingBreak(era, timestamp));
                return true;
            }
        }

        refusal = default;
        return false;
    }

    /// <summary>As <see cref="IsRefusing(long, out Refusal)"/>, by the cheap clock; a closed circuit is not even asked for the time.</summary>
    internal bool IsRefusing(out Refusal refusal)
    {
        if (_machine.Era.AdmitsAll)
        {
            refusal = default;
            return false;
        }

        return IsRefusing(_family.Clock.CoarseTimestamp(), out refusal);
    }

    /// <summary>Counts a refusal that a caller made on the strength of <see cref="IsRefusing(long, out Refusal)"/>.</summary>
    internal void CountRefusal() => Extras().Tally().CountRefused();

    private static string CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return name;
    }

    private static CircuitBreakerOptions NotNull(CircuitBreakerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options;
    }

    private static bool IsSlow(CircuitPolicy policy, in CircuitPermit permit, long now) => permit.IsMeasured && now - permit.StartedAt >= policy.SlowCallTicks;

    private static void ThrowUnknown(CallOutcome outcome) =>
        throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Not a call outcome.");

    private CircuitExtras Extras()
    {
        if (Volatile.Read(ref _extras) is { } known)
        {
            return known;
        }

        var made = new CircuitExtras();
        return Interlocked.CompareExchange(ref _extras, made, null) ?? made;
    }

    private long Now(CircuitPolicy policy) => policy.NeedsExactClock ? _family.Clock.Timestamp() : _family.Clock.CoarseTimestamp();

    private long EndOf(CircuitPolicy policy, in CircuitPermit permit) => permit.IsMeasured ? Now(policy) : _family.Clock.CoarseTimestamp();

    // Nearly every call ends so, and what is left of it is a count. Probes are of eras that do not admit all.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsSuccessWhileClosed(CircuitEra era, in CircuitPermit permit, CallOutcome outcome) =>
        outcome == CallOutcome.Succeeded && permit.Era == era.Number && era.AdmitsAll;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private CircuitTransition? CountSuccess(CircuitEra era, long now)
    {
        var window = era.Window!;
        return window.AddSuccess(era.Policy, now) is { } trigger ? Trip(window, trigger, now, retryAfter: null) : null;
    }

    // A late result is counted, and must not even publish that a break has elapsed.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsOfNoConcern(CircuitEra era, in CircuitPermit permit, CallOutcome outcome)
    {
        if ((uint)outcome > (uint)CallOutcome.Ignored)
        {
            ThrowUnknown(outcome);
        }

        if (permit.Era != era.Number)
        {
            CountLate(permit, outcome);
            return true;
        }

        return outcome == CallOutcome.Ignored && !permit.IsProbe;
    }

    private void CountLate(in CircuitPermit permit, CallOutcome outcome)
    {
        if (permit.Era != 0 && outcome != CallOutcome.Ignored)
        {
            Extras().Tally().CountLate();
        }
    }

    private bool TryEnterGuarded(CircuitEra era, long now, bool isExact, out CircuitPermit permit, out Refusal refusal)
    {
        var due = era.Due;
        if (now >= due)
        {
            era = Observe(now);
            due = era.Due;
        }

        if (!era.RefusesAll)
        {
            return TryEnterAsProbeOrFreely(era, now, isExact, out permit, out refusal);
        }

        permit = default;
        Refuse(era, due, now, out refusal);
        return false;
    }

    private bool TryEnterAsProbeOrFreely(CircuitEra era, long now, bool isExact, out CircuitPermit permit, out Refusal refusal)
    {
        permit = default;
        refusal = default;
        if (era.Policy.Mode == CircuitMode.Disabled)
        {
            return true;
        }

        if (era.State == CircuitState.HalfOpen && !era.Probes!.IsFull)
        {
            lock (Gate)
            {
                ElapseUnderLock(now);
                era = _machine.Era;
                if (era.State == CircuitState.HalfOpen && _machine.TryTakeProbe(now) is var probe and not 0)
                {
                    permit = Permit(era, now, isExact, probe);
                    return true;
                }
            }
        }

        if (era.State == CircuitState.Closed || !era.Policy.IsEnforcing)
        {
            if (era.State != CircuitState.Closed)
            {
                Extras().Tally().CountWouldHaveRefused();
            }

            permit = Permit(era, now, isExact, probe: 0);
            return true;
        }

        Refuse(era, era.Due, now, out refusal);
        return false;
    }

    private CircuitPermit Permit(CircuitEra era, long now, bool isExact, int probe) =>
        isExact ? new CircuitPermit(era.Number, now, probe)
        : era.MeasuresCalls ? new CircuitPermit(era.Number, Now(era.Policy), probe)
        : CircuitPermit.UnmeasuredProbe(era.Number, probe);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Refuse(CircuitEra era, long due, long now, out Refusal refusal)
    {
        CountRefusal();
        refusal = new Refusal(RefusalReason.CircuitOpen, Name, RemainingBreak(era, due, now));
    }

    private CircuitTransition? End(CircuitEra era, in CircuitPermit permit, CallOutcome outcome, long now, int caller, TimeSpan? retryAfter)
    {
        var policy = era.Policy;
        var slow = IsSlow(policy, permit, now);
        if (permit.IsProbe)
        {
            return EndProbe(permit, outcome, slow, now, retryAfter);
        }

        if (era.Window is not { } window || policy.Mode == CircuitMode.Disabled)
        {
            return null;
        }

        var cause = outcome == CallOutcome.Succeeded && !slow
            ? window.AddSuccess(policy, now)
            : window.AddTrouble(policy, outcome == CallOutcome.Failed, slow, now, caller);
        return cause is { } trigger ? Trip(window, trigger, now, retryAfter) : null;
    }

    private TimeSpan? RemainingBreak(CircuitEra era, long now) => RemainingBreak(era, era.Due, now);

    // The cheap clock may lie behind the exact one that opened the circuit: never more than the break itself.
    private TimeSpan? RemainingBreak(CircuitEra era, long due, long now) =>
        era.State == CircuitState.Open && due != CircuitEra.Never ? _family.Clock.Elapsed(Math.Max(now, era.Since), due) : null;
}
