using System.Diagnostics.CodeAnalysis;

namespace ResilientHost.Bulkheads;

/// <summary>The callers that are told apart, a bounded number. Each call looks after a few of the others, so none pays for all. Needs the lock of its <see cref="FairShare"/>.</summary>
internal sealed class FairShareCallers(FairShareDemand demand)
{
    private const int LooksPerCall = 16;
    private const double LookAfterSeconds = 0.1;

    // Less makes no difference but to rounding.
    private const double LeastWeight = 1e-6;

    // Keys are people's names and addresses; they are not kept for longer than they are of use.
    private const double ForgottenAfterSeconds = 60;

    private readonly Dictionary<string, FairShareCaller> _byKey = new(StringComparer.Ordinal);
    private readonly FairShareList _wanting = new();
    private readonly FairShareList _idle = new();
    private readonly FairShareCaller _others = new(key: null);

    public int Count => _byKey.Count;

    /// <summary>The caller of that key as of now; the one that all share for whom there is no room.</summary>
    public FairShareCaller Get(string key, BulkheadPolicy policy, double now)
    {
        LookAfterOthers(policy, now);
        if (!TryFind(key, policy, out var caller))
        {
            caller = _others;
        }

        Bring(caller, policy, now);
        return caller;
    }

    /// <summary>To be called after each change of what a caller has or wants.</summary>
    public void Changed(FairShareCaller caller)
    {
        demand.Count(caller);
        if (caller.Counted.IsCounted)
        {
            _wanting.Append(caller);
        }
        else if (caller.Key is null)
        {
            FairShareList.Remove(caller);
        }
        else if (!ReferenceEquals(caller.List, _idle))
        {
            _idle.Append(caller);
        }
    }

    /// <summary>Lets time pass for a caller, and gives it the weight of the policy.</summary>
    public static void Bring(FairShareCaller caller, BulkheadPolicy policy, double now)
    {
        caller.Update(now);
        if (!ReferenceEquals(caller.WeighedBy, policy))
        {
            caller.WeighedBy = policy;
            caller.Weight = caller.Key is { } key ? Math.Max(policy.Weights.Of(key), LeastWeight) : 1;
        }
    }

    private bool TryFind(string key, BulkheadPolicy policy, [NotNullWhen(true)] out FairShareCaller? caller)
    {
        if (_byKey.TryGetValue(key, out caller))
        {
            return true;
        }

        if (_byKey.Count >= policy.MaxPartitions)
        {
            if (_idle.Oldest is not { } idle)
            {
                return false;
            }

            Forget(idle);
        }

        caller = new FairShareCaller(key);
        _byKey.Add(key, caller);
        return true;
    }

    private void LookAfterOthers(BulkheadPolicy policy, double now)
    {
        for (var looks = 0; looks < LooksPerCall && _wanting.Oldest is { } oldest && now - oldest.UpdatedAt >= LookAfterSeconds; looks++)
        {
            Bring(oldest, policy, now);
            Changed(oldest);
        }

        for (var looks = 0; looks < LooksPerCall && _idle.Oldest is { } oldest && (now - oldest.UpdatedAt >= ForgottenAfterSeconds || _byKey.Count > policy.MaxPartitions); looks++)
        {
            Forget(oldest);
        }
    }

    private void Forget(FairShareCaller caller)
    {
        FairShareList.Remove(caller);
        _byKey.Remove(caller.Key!);
    }
}
