using ResilientHost.CircuitBreaking;

namespace ResilientHost;

// Who a call was for, where that matters: see CircuitBreakerOptions.MinimumDistinctCallers.
public sealed partial class CircuitBreaker
{
    /// <summary>Hash of the caller that nobody named.</summary>
    internal const int AnonymousCaller = 0;

    /// <summary>Whether <see cref="CircuitBreakerOptions.MinimumDistinctCallers"/> asks for anything.</summary>
    internal bool CountsCallers => Policy.CountsCallers;

    /// <summary>As <see cref="Exit(in CircuitPermit, CallOutcome)"/>, with whom the call was for.</summary>
    /// <param name="permit">The permit of the call.</param>
    /// <param name="outcome">How the call ended.</param>
    /// <param name="caller">
    /// Who is told apart for <see cref="CircuitBreakerOptions.MinimumDistinctCallers"/>, for instance a user or a tenant. Null or empty is the one anonymous caller, as with the overloads that
    /// name none. Only a hash of it is kept. Of no effect on a probe: half open, any probes decide, for they stand for all callers.
    /// </param>
    /// <returns>The change of state that this call brought about, or null.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="outcome"/> is not one of the enumeration's values.</exception>
    public CircuitTransition? Exit(in CircuitPermit permit, CallOutcome outcome, string? caller)
    {
        var era = _machine.Era;
        if (IsOfNoConcern(era, permit, outcome))
        {
            return null;
        }

        var now = EndOf(era.Policy, permit);
        return End(era, permit, outcome, now, CountsCaller(permit, outcome, now) ? HashOf(caller) : AnonymousCaller, retryAfter: null);
    }

    /// <summary>As <see cref="Exit(in CircuitPermit, CallOutcome, string?)"/>, for a caller that has read the exact clock; see <see cref="HashOf"/>.</summary>
    internal CircuitTransition? Exit(in CircuitPermit permit, CallOutcome outcome, long timestamp, int callerHash)
    {
        var era = _machine.Era;
        return IsSuccessWhileClosed(era, permit, outcome) && !IsSlow(era.Policy, permit, timestamp) ? CountSuccess(era, timestamp)
            : IsOfNoConcern(era, permit, outcome) ? null
            : End(era, permit, outcome, timestamp, callerHash, retryAfter: null);
    }

    /// <summary>Whether it matters whom the call was for: asked before <see cref="Exit(in CircuitPermit, CallOutcome, long, int)"/>, so that nobody makes a key for a call that went well.</summary>
    internal bool CountsCaller(in CircuitPermit permit, CallOutcome outcome, long timestamp)
    {
        var policy = _machine.Era.Policy;
        return policy.CountsCallers && !permit.IsProbe && (outcome == CallOutcome.Failed || (outcome == CallOutcome.Succeeded && IsSlow(policy, permit, timestamp)));
    }

    /// <summary>What stands for a caller: the key's hash, keyed by the process so that nobody can aim at another's, never <see cref="AnonymousCaller"/> for a caller that has a key.</summary>
    internal static int HashOf(string? caller) =>
        string.IsNullOrEmpty(caller) ? AnonymousCaller : caller.GetHashCode(StringComparison.Ordinal) is var hash && hash != AnonymousCaller ? hash : 1;
}
