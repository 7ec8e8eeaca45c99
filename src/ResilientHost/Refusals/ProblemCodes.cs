namespace ResilientHost;

/// <summary>The <c>code</c> members of the problems a caller can see. Stable: clients and alerts bind to them.</summary>
/// <remarks>
/// The problem's <c>type</c> is <see cref="TypePrefix"/> followed by the code with dashes for underscores, such as
/// <c>urn:resilient-host:problem:circuit-open</c>.
/// </remarks>
public static class ProblemCodes
{
    /// <summary>What every problem <c>type</c> begins with: <c>urn:resilient-host:problem:</c>.</summary>
    public const string TypePrefix = "urn:resilient-host:problem:";

    /// <summary>503: the circuit is open, isolated, or half-open with every probe taken.</summary>
    public const string CircuitOpen = "circuit_open";

    /// <summary>503: the bulkhead has no free permit and no room in its queue.</summary>
    public const string BulkheadFull = "bulkhead_full";

    /// <summary>503: the call waited in a bulkhead's queue for as long as that bulkhead allows.</summary>
    public const string QueueTimeout = "queue_timeout";

    /// <summary>503: the service is degraded and turned the call down because of its criticality.</summary>
    public const string Shed = "shed";

    /// <summary>504: the call did not end within its timeout.</summary>
    public const string Timeout = "timeout";

    /// <summary>504: the caller's own deadline had passed.</summary>
    public const string DeadlineExceeded = "deadline_exceeded";

    /// <summary>503: a repair of critical state is pending.</summary>
    public const string Repairing = "repairing";

    /// <summary>500, or the status the exception's type is mapped to: an exception that nobody handled.</summary>
    public const string UnhandledException = "unhandled_exception";

    /// <summary>The problem type of a code.</summary>
    internal static string TypeOf(string code) => TypePrefix + code.Replace('_', '-');
}
