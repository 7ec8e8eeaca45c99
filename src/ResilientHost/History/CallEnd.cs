namespace ResilientHost.History;

/// <summary>How a call ended, as the history counts it. The first three are <see cref="CallOutcome"/>'s.</summary>
internal enum CallEnd
{
    Succeeded = CallOutcome.Succeeded,
    Failed = CallOutcome.Failed,
    Ignored = CallOutcome.Ignored,

    /// <summary>Its circuit refused it.</summary>
    RefusedByCircuit,

    /// <summary>Another layer refused it.</summary>
    Refused,
}
