using Polly;
using ResilientHost.Propagation;
using ResilientHost.Refusals;

namespace ResilientHost.Calls;

/// <summary>One call on its way through its layers.</summary>
/// <param name="inbound">The request that it is made for.</param>
/// <param name="total">How long it may take; negative: as long as it takes.</param>
/// <param name="end">When that is over, as a timestamp.</param>
/// <param name="bound">Whose time that is.</param>
/// <param name="caller">The caller's own token, which that of an attempt is not.</param>
internal sealed class CallExecution(InboundCall? inbound, TimeSpan total, long end, CallBound bound, CancellationToken caller)
{
    /// <summary>Where Polly's strategies find it.</summary>
    public static ResiliencePropertyKey<CallExecution?> Key { get; } = new("ResilientHost.Call");

    public CancellationToken Caller { get; } = caller;

    public InboundCall? Inbound { get; } = inbound;

    public TimeSpan Total { get; } = total;

    public long End { get; } = end;

    /// <summary>The wait before the next attempt.</summary>
    public TimeSpan NextDelay { get; set; }

    /// <summary>Whether it would have been made again, had it not been too often already, or refused.</summary>
    public bool IsExhausted { get; set; }

    /// <summary>Whether the budget has paid for an attempt that has not been let through yet.</summary>
    public bool IsPaid { get; set; }

    /// <summary>Whether its total time has ended it.</summary>
    public bool IsOver { get; set; }

    /// <summary>How the attempt ended that the next one is made for.</summary>
    public Exception? LastFailure { get; set; }

    /// <summary>Whether it was ended by the time of the request that it is made for.</summary>
    public bool IsOverWithRequest => IsOver && bound != CallBound.Own;

    /// <summary>The execution that a context is in.</summary>
    public static CallExecution? Of(ResilienceContext context) => context.Properties.TryGetValue(Key, out var execution) ? execution : null;

    /// <summary>
    /// Whether nobody waits for it any more: whoever made it has left, or who asked for the request that it is made for no longer waits. What this host itself gives up, its endpoint's timeout included, is what did
    /// not answer in time: were it not, a dependency that hangs would never open its circuit behind endpoints with short timeouts.
    /// </summary>
    /// <param name="exception">How an attempt ended.</param>
    /// <param name="now">The present timestamp.</param>
    /// <param name="attempt">The attempt's token.</param>
    public bool IsLetGo(Exception exception, long now, CancellationToken attempt)
    {
        if (Caller.IsCancellationRequested)
        {
            return !IsEndpointsTimeOver(now);
        }

        return bound == CallBound.Caller && (attempt.IsCancellationRequested || RefusalExceptions.Of(exception) is { Reason: RefusalReason.DeadlineExceeded });
    }

    // The caller's first: once the response begins, neither counts any more.
    private bool IsEndpointsTimeOver(long now)
    {
        if (Inbound is null)
        {
            return false;
        }

        var callers = Inbound.CallersDeadline;
        return Inbound.Deadline is var deadline && deadline < callers && now >= deadline;
    }
}
