using ResilientHost.Propagation;

namespace ResilientHost.Refusals;

/// <summary>What an exception says of a refusal by a layer that can only throw: in a Polly pipeline, or around an HTTP client.</summary>
internal static class RefusalExceptions
{
    /// <summary>The refusal that an exception carries, by itself or as the only one in an <see cref="AggregateException"/>; <see langword="null"/> for any other exception.</summary>
    /// <remarks>Nothing else is unwrapped: who throws an exception of his own around a refusal wants to say something else.</remarks>
    public static Refusal? Of(Exception? exception) => exception switch
    {
        RefusedException refused => refused.Refusal,
        OutboundRefusedException refused => refused.Refusal,
        AggregateException { InnerExceptions: [var only] } => Of(only),
        _ => null,
    };

    /// <summary>How a call counts that ended with a refusal further in, wherever that is asked: time that has run out is a failure of what was called, any other refusal says nothing of it.</summary>
    /// <remarks>Nor does time that the caller of the request did not leave; to be asked where <see cref="InboundCall.Current"/> is the request that the call was made for.</remarks>
    public static CallOutcome OutcomeOf(in Refusal refusal) => refusal.Reason switch
    {
        RefusalReason.Timeout => CallOutcome.Failed,
        RefusalReason.DeadlineExceeded => InboundCall.Current is { IsCallersTime: true } ? CallOutcome.Ignored : CallOutcome.Failed,
        _ => CallOutcome.Ignored,
    };
}
