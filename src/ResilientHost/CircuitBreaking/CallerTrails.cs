using System.Runtime.InteropServices;

namespace ResilientHost.CircuitBreaking;

/// <summary>Who failed and who was slow in a window, for <see cref="CircuitBreakerOptions.MinimumDistinctCallers"/>. Nothing is made before there is trouble and someone who counts.</summary>
/// <remarks>Thread-safe. A part of its window: not to be copied.</remarks>
[StructLayout(LayoutKind.Auto)]
internal struct CallerTrails
{
    private CallerTrail? _failing;
    private CallerTrail? _slow;

    /// <summary>Who failed; <see langword="null"/> when nobody was noted.</summary>
    public CallerTrail? Failing
    {
        readonly get => Volatile.Read(in _failing);
        set => Volatile.Write(ref _failing, value);
    }

    /// <summary>Counts a failure into the row, with its caller where the policy asks for callers.</summary>
    /// <returns>Whether the row is long enough, and from enough callers, to pull the trigger.</returns>
    public bool AddFailure(CircuitPolicy policy, int caller, long at, ref int row)
    {
        if (!policy.CountsCallers)
        {
            return Interlocked.Increment(ref row) >= policy.ConsecutiveFailures;
        }

        var (length, callers) = Made(ref _failing, policy).AddToRow(policy.MinimumDistinctCallers, caller, at, ref row);
        return length >= policy.ConsecutiveFailures && callers >= policy.MinimumDistinctCallers;
    }

    /// <summary>Notes a slow call's caller, where the policy asks for callers.</summary>
    public void AddSlow(CircuitPolicy policy, int caller, long at)
    {
        if (policy.CountsCallers)
        {
            Made(ref _slow, policy).Add(policy.MinimumDistinctCallers, caller, at);
        }
    }

    /// <summary>Whether enough callers failed from <paramref name="first"/> on.</summary>
    public readonly bool EnoughFailed(CircuitPolicy policy, long first) => IsEnough(Volatile.Read(in _failing), policy, first);

    /// <summary>Whether enough callers were slow from <paramref name="first"/> on.</summary>
    public readonly bool EnoughWereSlow(CircuitPolicy policy, long first) => IsEnough(Volatile.Read(in _slow), policy, first);

    public void Forget()
    {
        Volatile.Write(ref _failing, null);
        Volatile.Write(ref _slow, null);
    }

    private static bool IsEnough(CallerTrail? trail, CircuitPolicy policy, long first) =>
        !policy.CountsCallers || (trail is not null && trail.CountSince(first) >= policy.MinimumDistinctCallers);

    private static CallerTrail Made(ref CallerTrail? trail, CircuitPolicy policy)
    {
        if (Volatile.Read(ref trail) is { } known)
        {
            return known;
        }

        var made = new CallerTrail(policy.MinimumDistinctCallers);
        return Interlocked.CompareExchange(ref trail, made, null) ?? made;
    }
}
