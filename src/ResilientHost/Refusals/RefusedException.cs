using System.Globalization;

using Polly;

namespace ResilientHost;

/// <summary>A refusal where only an exception can say it: in Polly pipelines. The inbound path never throws it.</summary>
/// <remarks>Immutable. Derives from Polly's own base, so retries and fallbacks that know Polly's refusals know this one.</remarks>
public sealed class RefusedException : ExecutionRejectedException
{
    /// <summary>Makes the exception of a refusal.</summary>
    /// <param name="refusal">Who refused, why, and when to come back.</param>
    public RefusedException(Refusal refusal)
        : base(Describe(refusal)) => Refusal = refusal;

    /// <summary>Makes the exception of a refusal that something led to.</summary>
    /// <param name="refusal">Who refused, why, and when to come back.</param>
    /// <param name="inner">What led to it, such as the last attempt's failure; <see langword="null"/>: nothing.</param>
    public RefusedException(Refusal refusal, Exception? inner)
        : base(Describe(refusal), inner!) => Refusal = refusal;

    /// <summary>Who refused, why, and when to come back.</summary>
    public Refusal Refusal { get; }

    private static string Describe(Refusal refusal)
    {
        var text = $"The call was refused by '{refusal.Source}' ({refusal.Reason}).";
        return refusal.RetryAfter is { } retryAfter
            ? string.Create(CultureInfo.InvariantCulture, $"{text} Retry after {retryAfter.TotalSeconds:0.###} s.")
            : text;
    }
}
