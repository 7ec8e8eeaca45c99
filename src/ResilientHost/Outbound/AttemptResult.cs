using System.Runtime.ExceptionServices;

namespace ResilientHost.Outbound;

/// <summary>How an attempt ended.</summary>
internal enum AttemptEnd
{
    /// <summary>It was answered, below 500 and neither 408 nor 429.</summary>
    Succeeded,

    /// <summary>It was answered with a failure, or the transport failed.</summary>
    Failed,

    /// <summary>Its own time, or the call's, was over first.</summary>
    TimedOut,

    /// <summary>The time that the inbound request's caller left was over first. Says nothing about the dependency, which may have had next to none.</summary>
    DeadlineExceeded,

    /// <summary>Whoever made it was told to stop, because the endpoint's own time was over: the dependency took too long, though nobody waits for a result.</summary>
    EndpointTimedOut,

    /// <summary>A layer did not let it through; nothing was sent.</summary>
    Refused,

    /// <summary>Whoever made it does not want it any more.</summary>
    Cancelled,

    /// <summary>Something on this side of the wire threw: a handler of the application's, a body that cannot be read. Says nothing about the dependency.</summary>
    Broken,
}

/// <summary>What an attempt gave: a response or an exception, never both.</summary>
internal readonly record struct AttemptResult(AttemptEnd End, HttpResponseMessage? Response, Exception? Exception)
{
    /// <summary>What the answer says about when to come back; <see langword="null"/> when it does not, or not in a way that can be followed.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether making the attempt again cannot help, however safe it would be.</summary>
    public bool IsFinal { get; init; }

    /// <summary>What the layers count it as.</summary>
    public CallOutcome Outcome => End switch
    {
        AttemptEnd.Succeeded => CallOutcome.Succeeded,
        AttemptEnd.Failed or AttemptEnd.TimedOut or AttemptEnd.EndpointTimedOut => CallOutcome.Failed,
        _ => CallOutcome.Ignored,
    };

    /// <summary>Whether the dependency failed, so that another attempt may be worth it.</summary>
    public bool IsFailure => End is AttemptEnd.Failed or AttemptEnd.TimedOut;

    /// <summary>The response, or throws what there is instead.</summary>
    public HttpResponseMessage Unwrap()
    {
        if (Response is null)
        {
            ExceptionDispatchInfo.Throw(Exception!);
        }

        return Response;
    }

    /// <summary>As it is, but a refusal tells which failure there was before it.</summary>
    public AttemptResult Because(Exception? cause) =>
        cause is not null && Exception is OutboundRefusedException { InnerException: null } refused ? this with { Exception = new OutboundRefusedException(refused.Refusal, cause) } : this;

    /// <summary>Lets go of a response that nobody will see.</summary>
    public void Discard() => Discard(Response);

    /// <summary>Lets go of a response that nobody will see. Does not throw: what its content has to say about that must not cost a call that goes on without it.</summary>
    public static void Discard(HttpResponseMessage? response)
    {
        try
        {
            response?.Dispose();
        }
        catch (Exception)
        {
            // An application's handler may put any content into a response.
        }
    }
}
