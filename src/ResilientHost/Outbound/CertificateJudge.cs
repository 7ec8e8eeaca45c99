using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ResilientHost.Outbound;

/// <summary>Tells in words what was wrong with a certificate that was not accepted. Decides nothing; pure.</summary>
internal static class CertificateJudge
{
    private const X509ChainStatusFlags OfTime = X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.NotTimeNested;
    private const X509ChainStatusFlags OfTrust = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.ExplicitDistrust;

    // What RevocationMode.Online adds when nobody could be asked: the revocation of a certificate that is out of date as well is not what went wrong.
    private const X509ChainStatusFlags OfRevocationUnknown = X509ChainStatusFlags.RevocationStatusUnknown | X509ChainStatusFlags.OfflineRevocation;

    /// <param name="host">The name that the certificate was to be for.</param>
    /// <param name="certificate">The server's; <see langword="null"/>: it showed none.</param>
    /// <param name="chain">As the framework built it, with what it found.</param>
    /// <param name="errors">What the framework found.</param>
    /// <param name="now">Tells an expired certificate from one that is not yet valid: the framework has one word for both.</param>
    public static CertificateFault Judge(string? host, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        var findings = new List<(CertificateFaultKind Kind, string Text)>();
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            findings.Add((CertificateFaultKind.Other, "the server showed none"));
        }
        else
        {
            if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            {
                findings.Add((CertificateFaultKind.WrongName, $"it is for {CertificateText.NamesOf(certificate)}"));
            }

            if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            {
                AddChain(findings, chain, now);
            }
        }

        if (findings.Count == 0)
        {
            findings.Add((CertificateFaultKind.Other, "the application's own validation turned it down"));
        }

        var ordered = findings.Distinct().OrderBy(static finding => finding.Kind).ToArray();
        var subject = host is { Length: > 0 } ? $"'{CertificateText.Clean(host)}'" : "the server";
        return new(ordered[0].Kind, $"The TLS certificate of {subject} is not accepted: {string.Join("; ", ordered.Select(static finding => finding.Text))}");
    }

    private static void AddChain(List<(CertificateFaultKind Kind, string Text)> findings, X509Chain? chain, DateTimeOffset now)
    {
        var seen = X509ChainStatusFlags.NoError;
        if (chain is not null)
        {
            for (var index = 0; index < chain.ChainElements.Count; index++)
            {
                var element = chain.ChainElements[index];
                var flags = Flags(element.ChainElementStatus);
                seen |= flags;
                if ((flags & OfTime) != X509ChainStatusFlags.NoError)
                {
                    findings.Add(Time(element.Certificate, isIssuer: index > 0, now));
                }
            }

            seen |= Flags(chain.ChainStatus);
        }

        if ((seen & OfTrust) != X509ChainStatusFlags.NoError)
        {
            findings.Add((CertificateFaultKind.Untrusted, $"its issuer is not trusted ({seen & OfTrust})"));
        }

        var rest = seen & ~OfTime & ~OfTrust & (findings.Count > 0 ? ~OfRevocationUnknown : ~X509ChainStatusFlags.NoError);
        if (rest != X509ChainStatusFlags.NoError || findings.Count == 0)
        {
            findings.Add((CertificateFaultKind.Other, rest == X509ChainStatusFlags.NoError ? "its chain could not be built" : $"its chain has errors ({rest})"));
        }
    }

    private static (CertificateFaultKind Kind, string Text) Time(X509Certificate2 certificate, bool isIssuer, DateTimeOffset now)
    {
        var from = CertificateDates.Utc(certificate.NotBefore);
        var until = CertificateDates.Utc(certificate.NotAfter);
        var who = isIssuer ? $"its issuer '{CertificateText.Clean(certificate.Subject)}'" : "it";

        // Where the host's clock finds nothing wrong, it is not the clock that the framework went by: the nearer bound is what that one has passed.
        var isOver = now > until || (now >= from && until - now <= now - from);
        return isOver
            ? (CertificateFaultKind.Expired, string.Create(CultureInfo.InvariantCulture, $"{who} expired on {until:yyyy-MM-dd HH:mm:ss}Z"))
            : (CertificateFaultKind.NotYetValid, string.Create(CultureInfo.InvariantCulture, $"{who} is not valid before {from:yyyy-MM-dd HH:mm:ss}Z"));
    }

    private static X509ChainStatusFlags Flags(X509ChainStatus[] statuses)
    {
        var flags = X509ChainStatusFlags.NoError;
        foreach (var status in statuses)
        {
            flags |= status.Status;
        }

        return flags;
    }
}
