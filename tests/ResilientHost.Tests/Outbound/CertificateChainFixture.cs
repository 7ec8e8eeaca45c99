using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ResilientHost.Tests.Outbound;

/// <summary>A server's certificate with its chain, judged as the framework judges.</summary>
internal sealed class CertificateChainFixture
{
    private readonly X509Certificate2 _root = Issue("CN=root", null, true, null, Now.AddYears(-10), Now.AddYears(10));

    /// <summary>The machine's own time: it is what chains are built by.</summary>
    public static DateTimeOffset Now { get; } = TimeProvider.System.GetUtcNow();

    public (X509Certificate2 Certificate, X509Chain Chain, SslPolicyErrors Errors) Show(
        string[]? names = null, DateTimeOffset? from = null, DateTimeOffset? until = null, bool trusted = true, DateTimeOffset? issuerUntil = null, bool matches = true)
    {
        var issuer = Issue("CN=issuer", null, true, _root, Now.AddYears(-9), issuerUntil ?? Now.AddYears(9));
        var server = Issue("CN=server", names ?? ["prices.example"], false, issuer, from ?? Now.AddDays(-300), until ?? Now.AddDays(300));
        var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
                ExtraStore = { issuer, _root },
            },
        };
        if (trusted)
        {
            chain.ChainPolicy.CustomTrustStore.Add(_root);
        }

        var errors = chain.Build(server) ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateChainErrors;
        return (server, chain, matches ? errors : errors | SslPolicyErrors.RemoteCertificateNameMismatch);
    }

    private static X509Certificate2 Issue(string subject, string[]? names, bool isAuthority, X509Certificate2? issuer, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (names is { Length: > 0 })
        {
            var builder = new SubjectAlternativeNameBuilder();
            foreach (var name in names)
            {
                builder.AddDnsName(name);
            }

            request.CertificateExtensions.Add(builder.Build());
        }

        if (issuer is null)
        {
            return request.CreateSelfSigned(from, until);
        }

        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, true, false));
        using var issued = request.Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer.GetECDsaPrivateKey()!), from, until, RandomNumberGenerator.GetBytes(16));
        return issued.CopyWithPrivateKey(key);
    }
}
