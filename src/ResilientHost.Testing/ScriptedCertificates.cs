using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ResilientHost.Testing;

/// <summary>An authority and one certificate of a server, with their keys, in memory.</summary>
internal sealed class ScriptedCertificates : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private ScriptedCertificates(X509Certificate2 authority, X509Certificate2 server)
    {
        Authority = authority;
        Server = server;
    }

    /// <summary>The authority's certificate, without its key.</summary>
    public X509Certificate2 Authority { get; }

    public X509Certificate2 Server { get; }

    public static ScriptedCertificates? Create(ScriptedCertificate kind)
    {
        if (kind == ScriptedCertificate.None)
        {
            return null;
        }

        // The system's clock, also under manual time: it is what a TLS client compares with.
        var now = TimeProvider.System.GetUtcNow();
        using var authority = CreateAuthority(now);
        var server = CreateServer(kind, authority, now);
        return new ScriptedCertificates(X509CertificateLoader.LoadCertificate(authority.RawData), server);
    }

    public void Dispose()
    {
        Authority.Dispose();
        Server.Dispose();
    }

    private static X509Certificate2 CreateAuthority(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Unlike names keep chains of several servers in one process apart.
        var request = new CertificateRequest($"CN=ScriptedServer authority {Guid.NewGuid():N}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(now.AddYears(-1), now.AddYears(1));
    }

    private static X509Certificate2 CreateServer(ScriptedCertificate kind, X509Certificate2 authority, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ScriptedServer", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], false));
        request.CertificateExtensions.Add(Names(kind));
        var (from, to) = kind == ScriptedCertificate.Expired ? (now.AddDays(-30), now.AddDays(-1)) : (now.AddDays(-1), now.AddDays(30));
        if (kind == ScriptedCertificate.SelfSigned)
        {
            using var own = request.CreateSelfSigned(from, to);
            return Usable(own);
        }

        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        using var issued = request.Create(authority, from, to, RandomNumberGenerator.GetBytes(16));
        using var withKey = issued.CopyWithPrivateKey(key);
        return Usable(withKey);
    }

    private static X509Extension Names(ScriptedCertificate kind)
    {
        var names = new SubjectAlternativeNameBuilder();
        if (kind == ScriptedCertificate.WrongHost)
        {
            names.AddDnsName("elsewhere.invalid");
        }
        else
        {
            names.AddDnsName("localhost");
            names.AddIpAddress(IPAddress.Loopback);
            names.AddIpAddress(IPAddress.IPv6Loopback);
        }

        return names.Build();
    }

    /// <summary>Windows' TLS takes no key that exists in the process alone; through PKCS #12 it does, and drops it when the certificate is disposed.</summary>
    private static X509Certificate2 Usable(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
}
