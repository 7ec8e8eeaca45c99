using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ResilientHost.IntegrationTests.Outbound;

/// <summary>Issues certificates for tests, in memory.</summary>
internal sealed class CertificateAuthority
{
    private readonly X509Certificate2 _root;

    public CertificateAuthority() => _root = Issue("CN=Test root", null, isAuthority: true, null, Now.AddYears(-10), Now.AddYears(10));

    public static DateTimeOffset Now { get; } = DateTimeOffset.UtcNow;

    /// <summary>A certificate for <c>localhost</c> that is good, but for what is asked otherwise.</summary>
    public ShownCertificate Create(string name = "localhost", DateTimeOffset? from = null, DateTimeOffset? until = null, bool trusted = true, DateTimeOffset? intermediateUntil = null)
    {
        var root = trusted ? _root : Issue("CN=Unknown root", null, isAuthority: true, null, Now.AddYears(-10), Now.AddYears(10));
        var intermediate = Issue("CN=Test intermediate", null, isAuthority: true, root, Now.AddYears(-9), intermediateUntil ?? Now.AddYears(9));
        var server = Issue("CN=Test server", name, isAuthority: false, intermediate, from ?? Now.AddDays(-300), until ?? Now.AddDays(300));
        return new(SslStreamCertificateContext.Create(server, [intermediate], offline: true));
    }

    /// <summary>A handler that trusts this authority and no other.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        UseProxy = false,
        SslOptions = { CertificateChainPolicy = ChainPolicy() },
    };

    public X509ChainPolicy ChainPolicy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { X509CertificateLoader.LoadCertificate(_root.RawData) },
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };

    private static X509Certificate2 Issue(string subject, string? name, bool isAuthority, X509Certificate2? issuer, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        // Unlike names keep the chains of several authorities apart.
        var request = new CertificateRequest($"{subject} {Guid.NewGuid():N}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (name is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
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

/// <summary>What a server shows.</summary>
internal sealed record ShownCertificate(SslStreamCertificateContext Context)
{
    public X509Certificate2 Server => Context.TargetCertificate;
}
