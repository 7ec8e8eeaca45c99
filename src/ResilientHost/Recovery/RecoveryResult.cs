namespace ResilientHost.Recovery;

/// <summary>What became of a request whose exception was dealt with.</summary>
/// <param name="Outcome">How the call counts for the layers around the endpoint.</param>
/// <param name="Disposition">What the caller got: one of <see cref="Pipeline.RequestDisposition"/>. Not to be told from the outcome: that of a refusal further in says nothing of the endpoint, and yet the caller was refused.</param>
internal readonly record struct RecoveryResult(CallOutcome Outcome, string Disposition);
