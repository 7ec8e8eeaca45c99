using System.Security.Cryptography.X509Certificates;

namespace ResilientHost.Outbound;

/// <summary>When an accepted certificate runs out: it, or an authority between it and the root, whichever does first. Immutable.</summary>
/// <param name="NotAfter">When.</param>
/// <param name="Subject">Whose date it is. Bounded and printable.</param>
internal sealed record CertificateDates(DateTimeOffset NotAfter, string Subject)
{
    public static CertificateDates Of(X509Certificate2 certificate, X509Chain? chain)
    {
        var first = certificate;
        var until = Utc(first.NotAfter);
        var elements = chain?.ChainElements;

        // Without the root: it is this machine's own, another may take its place before the day comes, and no server can renew it.
        for (var index = 1; index < elements?.Count - 1; index++)
        {
            var candidate = elements![index].Certificate;
            if (Utc(candidate.NotAfter) is var end && end < until)
            {
                (first, until) = (candidate, end);
            }
        }

        return new(until, CertificateText.Clean(first.Subject));
    }

    /// <summary>A date of a certificate, which the framework gives as local time, also at the ends of the calendar.</summary>
    public static DateTimeOffset Utc(DateTime local) => new(local.ToUniversalTime(), TimeSpan.Zero);
}
