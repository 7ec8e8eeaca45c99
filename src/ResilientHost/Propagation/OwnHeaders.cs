using System.Net.Http.Headers;

namespace ResilientHost.Propagation;

/// <summary>What the application itself has set of the headers that a call's attempts are told by. Immutable; allocated only where it has set any, which is next to never.</summary>
internal sealed class OwnHeaders
{
    private static readonly OwnHeaders None = new();

    private readonly HeaderStringValues? _attempt;

    private OwnHeaders(HeaderStringValues? attempt = null) => _attempt = attempt;

    public bool HasDeadline { get; private init; }

    public bool HasCriticality { get; private init; }

    /// <summary>Reads a request into which nothing was written yet.</summary>
    public static OwnHeaders Of(HttpRequestMessage request)
    {
        var headers = request.Headers.NonValidated;
        var hasAttempt = headers.TryGetValues(PropagationHeaders.Attempt, out var attempt);
        var hasDeadline = headers.Contains(PropagationHeaders.Deadline);
        var hasCriticality = headers.Contains(PropagationHeaders.Criticality);
        return hasAttempt || hasDeadline || hasCriticality
            ? new(hasAttempt ? attempt : null) { HasDeadline = hasDeadline, HasCriticality = hasCriticality }
            : None;
    }

    /// <summary>Takes what attempts were told off the request, and puts back what it replaced. What was not written is left alone.</summary>
    public void Restore(HttpRequestMessage request)
    {
        var headers = request.Headers;
        headers.Remove(PropagationHeaders.Attempt);
        if (_attempt is { } attempt)
        {
            headers.TryAddWithoutValidation(PropagationHeaders.Attempt, attempt);
        }

        if (!HasDeadline)
        {
            headers.Remove(PropagationHeaders.Deadline);
        }

        if (!HasCriticality)
        {
            headers.Remove(PropagationHeaders.Criticality);
        }
    }
}
