using System.Diagnostics.CodeAnalysis;

namespace ResilientHost.Bulkheads;

/// <summary>The callers that are told apart, a bounded number. Each call looks after a few of the others, so none pays for all. Needs the lock of its <see cref="FairShare"/>.</summary>
internal sealed class FairShareCallers(FairShareDemand demand)
{
    // Few while that is enough, as each look reads memory that nobody has read lately, with the lock held. More where they fall behind, and before somebody is refused for the sake of others or has no partition of its own.
    private const int LooksPerCall = 2;
    private const int LooksInNeed = 16;
    private const double LookAfterSeconds = 0.1;
    private const double BehindAfterSeconds = 0.25;

    // Less makes no difference but to rounding.
    private const double LeastWeight = 1e-6;

    // Keys are people's names and addresses; they are not kept for longer than they are of use.
    private const double ForgottenAfterSeconds = 60;

    // Enough for the callers that come and go within a second or two; more would keep what a flood of them needed.
    private const int MostSpare = 256;

    private readonly FairShareIndex _byKey = new();
    private readonly FairShareList _wanting = new(FairShareStanding.Wanting);
    private readonly FairShareList _idle = new(FairShareStanding.Idle);
    private readonly FairShareCaller _others = new(key: null);
    private readonly Stack<FairShareWish> _spare = [];

    public int Count => _byKey.Count;

    /// <summary>What the caller of that key has and wants as of now; of the one that all share for whom there is no room.</summary>
    public FairShareWish Get(string key, BulkheadPolicy policy, double now)
    {
        LookAfterWanting(policy, now, _wanting.Oldest is { } oldest && now - oldest.UpdatedAt >= BehindAfterSeconds ? LooksInNeed : LooksPerCall);
        ForgetIdle(policy, now);
        if (!TryFind(key, policy, now, out var caller))
        {
            caller = _others;
        }

        var wish = caller.Wish ?? NewWish(caller);
        Bring(wish, policy, now);
        return wish;
    }

    /// <summary>Looks after more of the others, before a caller is refused for what they are believed to want.</summary>
    /// <returns>Whether there was anybody to look after; then the question is to be asked again.</returns>
    public bool TryLookAfterOthers(FairShareWish wish, BulkheadPolicy policy, double now)
    {
        // The caller itself, looked at a moment ago, must not stand before those who were not.
        if (wish.Caller.Standing == FairShareStanding.Wanting)
        {
            MoveTo(_wanting, wish.Caller);
        }

        return LookAfterWanting(policy, now, LooksInNeed) > 0;
    }

    /// <summary>To be called after each change of what a caller has or wants. One that wants nothing any more has ended.</summary>
    public void Changed(FairShareWish wish)
    {
        demand.Count(wish);
        var caller = wish.Caller;
        if (wish.Counted.IsCounted)
        {
            MoveTo(_wanting, caller);
            return;
        }

        if (caller.Key is null)
        {
            TakeOut(caller);
        }
        else if (caller.Standing != FairShareStanding.Idle)
        {
            MoveTo(_idle, caller);
        }

        wish.End();
        if (_spare.Count < MostSpare)
        {
            _spare.Push(wish);
        }
    }

    /// <summary>Lets time pass for a caller, and gives it the weight of the policy.</summary>
    public static void Bring(FairShareWish wish, BulkheadPolicy policy, double now)
    {
        wish.Update(now);
        if (!ReferenceEquals(wish.WeighedBy, policy))
        {
            wish.WeighedBy = policy;
            wish.Weight = wish.Caller.Key is { } key ? Math.Max(policy.Weights.Of(key), LeastWeight) : 1;
        }
    }

    private FairShareWish NewWish(FairShareCaller caller)
    {
        var wish = _spare.TryPop(out var spare) ? spare : new FairShareWish();
        wish.Begin(caller);
        return wish;
    }

    private bool TryFind(string key, BulkheadPolicy policy, double now, [NotNullWhen(true)] out FairShareCaller? caller)
    {
        if (_byKey.TryFind(key, out caller))
        {
            return true;
        }

        if (_byKey.Count >= policy.MaxPartitions)
        {
            if (_idle.Oldest is null)
            {
                LookAfterWanting(policy, now, LooksInNeed);
            }

            if (_idle.Oldest is not { } idle)
            {
                return false;
            }

            Forget(idle);
        }

        caller = new FairShareCaller(key);
        _byKey.Add(caller);
        return true;
    }

    /// <returns>How many were looked after.</returns>
    private int LookAfterWanting(BulkheadPolicy policy, double now, int most)
    {
        var looks = 0;
        for (; looks < most && _wanting.Oldest is { } oldest && now - oldest.UpdatedAt >= LookAfterSeconds; looks++)
        {
            Bring(oldest.Wish!, policy, now);
            Changed(oldest.Wish!);
        }

        return looks;
    }

    private void ForgetIdle(BulkheadPolicy policy, double now)
    {
        for (var looks = 0; looks < LooksInNeed && _idle.Oldest is { } oldest && (now - oldest.UpdatedAt >= ForgottenAfterSeconds || _byKey.Count > policy.MaxPartitions); looks++)
        {
            Forget(oldest);
        }
    }

    private void Forget(FairShareCaller caller)
    {
        TakeOut(caller);
        _byKey.Remove(caller);
    }

    private void MoveTo(FairShareList list, FairShareCaller caller)
    {
        if (!list.IsNewest(caller))
        {
            TakeOut(caller);
            list.Append(caller);
        }
    }

    private void TakeOut(FairShareCaller caller)
    {
        if (caller.Standing != FairShareStanding.None)
        {
            (caller.Standing == FairShareStanding.Wanting ? _wanting : _idle).Remove(caller);
        }
    }
}
