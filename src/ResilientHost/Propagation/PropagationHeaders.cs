namespace ResilientHost.Propagation;

/// <summary>Names of the headers by which services tell each other about a call.</summary>
internal static class PropagationHeaders
{
    /// <summary>Request: the time that is left, in whole milliseconds. To peers; believed of trusted callers.</summary>
    public const string Deadline = "Resilience-Deadline";

    /// <summary>Request: how much it matters. To peers; raises only for trusted callers.</summary>
    public const string Criticality = "Resilience-Criticality";

    /// <summary>Request: the number of the attempt, 2 and above, or 1 to say that the caller understands <see cref="Retry"/>.</summary>
    public const string Attempt = "Resilience-Attempt";

    /// <summary>Response of 500 and above: <c>no</c> when a dependency further down failed for good, so that making the request again would only multiply the load.</summary>
    public const string Retry = "Resilience-Retry";
}
