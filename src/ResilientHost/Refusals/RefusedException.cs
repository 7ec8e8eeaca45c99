using Polly;

namespace ResilientHost;

/// <summary>A refusal on a path that can only answer by throwing, such as a Polly pipeline. Inbound refusals are never exceptions.</summary>
public sealed class RefusedException : ExecutionRejectedException
{
    /// <summary>Wraps a refusal.</summary>
    /// <param name="refusal">The refusal.</param>
    public RefusedException(Refusal refusal)
        : base($"'{refusal.Source}' refused the call: {refusal.Reason}.") => Refusal = refusal;

    /// <summary>Why, by whom, and when to come back.</summary>
    public Refusal Refusal { get; }
}
