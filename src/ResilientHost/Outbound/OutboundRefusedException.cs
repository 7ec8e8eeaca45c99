using System.Globalization;

namespace ResilientHost;

/// <summary>A call that a layer of its <see cref="HttpClient"/> refused or gave up waiting for.</summary>
/// <remarks>
/// Immutable. Who catches <see cref="HttpRequestException"/> catches it. Where an endpoint lets it pass, the caller gets the refusal's own answer: 503 with its Retry-After for a circuit or a bulkhead, 504 for a timeout.
/// Its message names the client, never the address.
/// </remarks>
public sealed class OutboundRefusedException : HttpRequestException
{
    /// <summary>Makes the exception of a refusal.</summary>
    /// <param name="refusal">Who refused, why, and when to come back.</param>
    /// <param name="inner">What led to it, such as the last attempt's failure.</param>
    public OutboundRefusedException(Refusal refusal, Exception? inner = null)
        : base(Describe(refusal), inner) => Refusal = refusal;

    /// <summary>Who refused, why, and when to come back.</summary>
    public Refusal Refusal { get; }

    private static string Describe(in Refusal refusal)
    {
        var text = refusal.Reason switch
        {
            RefusalReason.Timeout => $"The call by '{refusal.Source}' was not answered in time.",
            RefusalReason.DeadlineExceeded => $"The call by '{refusal.Source}' was given up: the time of the request that it serves is over.",
            _ => $"The call was refused by '{refusal.Source}' ({refusal.Reason}).",
        };
        return refusal.RetryAfter is { } retryAfter
            ? string.Create(CultureInfo.InvariantCulture, $"{text} Retry after {retryAfter.TotalSeconds:0.###} s.")
            : text;
    }
}
