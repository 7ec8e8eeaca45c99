namespace ResilientHost;

/// <summary>Limits how long a controller, an action or a route handler may take until its response starts.</summary>
/// <param name="timeout">A duration as <c>hh:mm:ss</c>, such as <c>00:00:02</c> or <c>00:00:00.250</c>; more than zero and at most one day.</param>
/// <remarks>
/// The twin of <c>WithTimeout</c>. Text that is no such duration is an error at start. Where the framework's own <c>[RequestTimeout]</c> stands on the same endpoint, this one steps aside.
/// </remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class TimeoutAttribute(string timeout) : Attribute, ITimeoutMetadata
{
    /// <summary>The duration as written.</summary>
    public string Timeout { get; } = timeout;

    TimeSpan? ITimeoutMetadata.Timeout => TimeoutText.Parse(Timeout);
}
