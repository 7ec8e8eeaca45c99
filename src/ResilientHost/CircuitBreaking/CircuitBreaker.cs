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
/// Thread-safe. While the circuit is closed neither method takes a lock or allocates. States follow from time: an open circuit
/// whose break has elapsed is half-open, whether or not a call came. Results of permits from an earlier era change nothing.
/// Half-open, probes are judged by <see cref="CircuitBreakerOptions.FailureRatio"/> and
/// <see cref="CircuitBreakerOptions.SlowCallRatio"/> over <see cref="CircuitBreakerOptions.HalfOpenProbes"/>; with a null
/// failure ratio and <see cref="CircuitBreakerOptions.ConsecutiveFailures"/> on, any failed probe re-opens the circuit.
/// </para>
/// </remarks>
public sealed partial class CircuitBreaker
{
    private readonly CircuitServices _services;
    private readonly Lock _lock = new();
    private CircuitStateMachine _machine;
    private CircuitListener[] _listeners = [];
    private CircuitBreakerPartitions<string>? _partitions;
    private CircuitTally? _tally;
    private volatile CallWatch? _watch;

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
    {
        Name = name;
        _services = services;
        _machine = new CircuitStateMachine(policy, services.Clock.CoarseTimestamp());
    }

    /// <summary>Makes a circuit that tells its changes to listeners which others share.</summary>
    internal CircuitBreaker(string name, CircuitPolicy policy, CircuitServices services, CircuitListener[] listeners)
        : this(name, policy, services) =>
        _listeners = listeners;

    /// <summary>Raised once for every change of state, in order.</summary>
    /// <remarks>
    /// A registry's breaker with a circuit for each caller (<see cref="CircuitBreakerOptions.PartitionBy"/>) raises it for those too, under its own name: keys stay inside.
    /// Handlers run on the thread pool, one transition at a time for each handler, never on the caller's thread or under a lock.
    /// A handler that blocks or throws affects neither calls nor other handlers; up to 1,024 transitions wait for it, further ones
    /// are dropped. After removal a handler gets no transition that had not been handed to it yet.
    /// </remarks>
    public event Action<CircuitTransition>? Transitioned
    {
        add
        {
            foreach (var handler in Delegate.EnumerateInvocationList(value))
            {
                lock (_lock)
                {
                    _listeners = [.. _listeners, new CircuitListener(handler, _services)];
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

    /// <summary>What refusals, events and telemetry call this breaker.</summary>
    public string Name { get; }

    /// <summary>The state now, derived from time.</summary>
    /// <remarks>Reading publishes a change that is due.</remarks>
    public CircuitState State => Observe().State;

    /// <summary>Calls refused since construction, by partitions too.</summary>
    internal long Refused => (Volatile.Read(ref _tally)?.ReadRefused() ?? 0) + (Partitions?.Refused ?? 0);

    /// <summary>Calls since construction that it would have refused, were its mode not Shadow; by partitions too.</summary>
    internal long WouldHaveRefused => (Volatile.Read(ref _tally)?.ReadWouldHaveRefused() ?? 0) + (Partitions?.WouldHaveRefused ?? 0);

    /// <summary>Results that came in a later era than their permit.</summary>
    internal long LateResults => (Volatile.Read(ref _tally)?.ReadLate() ?? 0) + (Partitions?.LateResults ?? 0);

    internal CircuitPolicy Policy => _machine.Era.Policy;

    /// <summary>Counts its calls for the history, by whoever makes them; <see langword="null"/> while none is kept. Of a breaker with partitions, those of all.</summary>
    internal CallWatch? Watch
    {
        get => _watch;
        set => _watch = value;
    }

    /// <summary>Transitions that listeners were too slow for.</summary>
    internal long DroppedTransitions => Volatile.Read(ref _listeners).Sum(listener => listener.Dropped);

    /// <summary>Asks for admission.</summary>
    /// <param name="permit">What to give to <see cref="Exit(in CircuitPermit, CallOutcome)"/>; the default permit when refused or disabled.</param>
    /// <param name="refusal">Why not; the default value when admitted.</param>
    /// <returns>Whether the call may go on. Always true in <see cref="CircuitMode.Shadow"/> and <see cref="CircuitMode.Disabled"/>.</returns>
    public bool TryEnter(out CircuitPermit permit, out Refusal refusal)
    {
        var era = _machine.Era;
        if (era.AdmitsAll)
        {
            permit = era.Policy.MeasuresCalls
                ? new CircuitPermit(era.Number, Now(era.Policy), 0)
                : CircuitPermit.Unmeasured(era.Number);
            refusal = default;
            return true;
        }

        return TryEnterGuarded(
            _services.Clock.CoarseTimestamp(),
            era.Policy.MeasuresCalls ? Now(era.Policy) : null,
            out permit,
            out refusal);
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

        return TryEnterGuarded(timestamp, timestamp, out permit, out refusal);
    }

    /// <summary>Tells the outcome of an admitted call. The call that trips the circuit still returns its own result.</summary>
    /// <param name="permit">The permit of the call. The default permit, and a probe's that ended already, do nothing.</param>
    /// <param name="outcome">How the call ended. <see cref="CallOutcome.Ignored"/> counts nowhere and gives a probe's place back.</param>
    /// <returns>The change of state that this call brought about, or null.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="outcome"/> is not one of the enumeration's values.</exception>
    public CircuitTransition? Exit(in CircuitPermit permit, CallOutcome outcome) => Exit(permit, outcome, retryAfter: null);

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
            if (IsEnforcing(era.Policy)
                && (era.State is CircuitState.Open or CircuitState.Isolated || era.Probes is { IsFull: true }))
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

        return IsRefusing(_services.Clock.CoarseTimestamp(), out refusal);
    }

    /// <summary>Counts a refusal that a caller made on the strength of <see cref="IsRefusing(long, out Refusal)"/>.</summary>
    internal void CountRefusal() => Tally().CountRefused();

    /// <summary>What the breaker knows now.</summary>
    /// <returns>State, counts of the window or the half-open era, and what is left of a break.</returns>
    public CircuitSnapshot Snapshot()
    {
        var clock = _services.Clock;
        var now = clock.CoarseTimestamp();
        var era = Observe(now);
        var counts = Count(era, now);
        var calls = counts.Calls;
        return new CircuitSnapshot
        {
            State = era.State,
            Mode = era.Policy.Mode,
            Era = era.Number,
            Since = clock.UtcAt(era.Since, now),
            Calls = (int)Math.Min(calls, int.MaxValue),
            Failures = (int)Math.Min(counts.Failures, int.MaxValue),
            SlowCalls = (int)Math.Min(counts.SlowCalls, int.MaxValue),
            FailureRatio = calls == 0 ? 0 : counts.Failures / (double)calls,
            SlowCallRatio = calls == 0 ? 0 : counts.SlowCalls / (double)calls,
            Refused = Refused,
            LateResults = LateResults,
            RetryAfter = RemainingBreak(era, now),
        };
    }

    /// <summary>State; of a breaker with partitions the worst of theirs and its own.</summary>
    internal CircuitState WorstState()
    {
        var own = State;
        return Partitions?.WorstState() is { } worst && CircuitNames.RankOf(worst) > CircuitNames.RankOf(own) ? worst : own;
    }

    /// <summary>State, and calls in the window; of a breaker with partitions the worst of theirs, and the sum. Without an object, for those who look at thousands.</summary>
    internal (CircuitState State, long Calls) Glance()
    {
        if (Partitions is { } partitions)
        {
            var (worst, calls) = partitions.Glance();
            var own = State;
            return (CircuitNames.RankOf(own) >= CircuitNames.RankOf(worst) ? own : worst, calls);
        }

        var now = _services.Clock.CoarseTimestamp();
        var era = Observe(now);
        return (era.State, Count(era, now).Calls);
    }

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

    private static bool IsEnforcing(CircuitPolicy policy) => policy.Mode is CircuitMode.Enforce or CircuitMode.ForcedOpen;

    private static bool IsSlow(CircuitPolicy policy, in CircuitPermit permit, long now) => permit.IsMeasured && now - permit.StartedAt >= policy.SlowCallTicks;

    private static void ThrowUnknown(CallOutcome outcome) =>
        throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Not a call outcome.");

    // Most circuits, and nearly all of a keyed breaker's, never have anything to count.
    private CircuitTally Tally()
    {
        if (Volatile.Read(ref _tally) is { } known)
        {
            return known;
        }

        var made = new CircuitTally();
        return Interlocked.CompareExchange(ref _tally, made, null) ?? made;
    }

    private long Now(CircuitPolicy policy) => policy.NeedsExactClock ? _services.Clock.Timestamp() : _services.Clock.CoarseTimestamp();

    private long EndOf(CircuitPolicy policy, in CircuitPermit permit) => permit.IsMeasured ? Now(policy) : _services.Clock.CoarseTimestamp();

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
            Tally().CountLate();
        }
    }

    private bool TryEnterGuarded(long now, long? startedAt, out CircuitPermit permit, out Refusal refusal)
    {
        permit = default;
        refusal = default;
        var era = Observe(now);
        if (era.Policy.Mode == CircuitMode.Disabled)
        {
            return true;
        }

        if (era.State == CircuitState.HalfOpen && !era.Probes!.IsFull)
        {
            lock (_lock)
            {
                ElapseUnderLock(now);
                era = _machine.Era;
                if (era.State == CircuitState.HalfOpen && _machine.TryTakeProbe(now) is var probe and not 0)
                {
                    permit = startedAt is { } start ? new CircuitPermit(era.Number, start, probe) : CircuitPermit.UnmeasuredProbe(era.Number, probe);
                    return true;
                }
            }
        }

        if (era.State == CircuitState.Closed || !IsEnforcing(era.Policy))
        {
            if (era.State != CircuitState.Closed)
            {
                Tally().CountWouldHaveRefused();
            }

            permit = startedAt is { } start ? new CircuitPermit(era.Number, start, 0) : CircuitPermit.Unmeasured(era.Number);
            return true;
        }

        CountRefusal();
        refusal = new Refusal(RefusalReason.CircuitOpen, Name, RemainingBreak(era, now));
        return false;
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

    private WindowCounts Count(CircuitEra era, long now)
    {
        if (era.Probes is not { } probes)
        {
            return era.Window?.Read(era.Policy, now) ?? default;
        }

        lock (_lock)
        {
            return probes.Counts;
        }
    }

    private TimeSpan? RemainingBreak(CircuitEra era, long now)
    {
        var due = era.Due;

        // The cheap clock may lie behind the exact one that opened the circuit: never more than the break itself.
        return era.State == CircuitState.Open && due != CircuitEra.Never ? _services.Clock.Elapsed(Math.Max(now, era.Since), due) : null;
    }
}
