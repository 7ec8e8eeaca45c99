using Microsoft.AspNetCore.Http;
using ResilientHost.Callers;
using ResilientHost.Propagation;

namespace ResilientHost.Degradation;

/// <summary>How much one request matters: what its endpoint says, and what its caller may add to that.</summary>
internal static class RequestCriticality
{
    /// <summary>The header by which a caller says it.</summary>
    public const string HeaderName = PropagationHeaders.Criticality;

    /// <summary>Anyone may ask for less than the endpoint says, a trusted caller also for more. Several values, or one that is none of the three words, say nothing.</summary>
    public static Criticality Of(HttpContext context, Criticality own, ITrustedCallers trusted)
    {
        var header = context.Request.Headers[HeaderName];
        return header.Count == 1 && Parse(header[0]) is { } asked && asked != own && (asked < own || trusted.IsTrusted(context)) ? asked : own;
    }

    private static Criticality? Parse(string? word) =>
        Is(word, Criticality.Sheddable) ? Criticality.Sheddable
        : Is(word, Criticality.Default) ? Criticality.Default
        : Is(word, Criticality.Critical) ? Criticality.Critical
        : null;

    private static bool Is(string? word, Criticality criticality) => string.Equals(word, DegradationNames.Of(criticality), StringComparison.OrdinalIgnoreCase);
}
