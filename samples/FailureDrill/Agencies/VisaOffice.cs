using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FailureDrill.Agencies;

/// <summary>A service over TLS whose certificate runs out and is renewed. It counts handshakes, which cost it more than answers do.</summary>
internal sealed class VisaOffice : IUpstream
{
    private readonly WebApplication _app;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("visa-office");
    private readonly VisaCertificates _certificates = new(DateTimeOffset.UtcNow);
    private volatile bool _hasExpired;
    private int _handshakes;

    private VisaOffice()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port: 0, listener => listener.UseHttps(https =>
        {
            https.ServerCertificateSelector = (_, _) => _hasExpired ? _certificates.Expired : _certificates.Valid;
            https.OnAuthenticate = (_, handshake) =>
            {
                // Who resumes a session is shown no certificate.
                handshake.AllowTlsResume = false;
                Interlocked.Increment(ref _handshakes);
            };
        })));
        builder.Services.AddRoutingCore();
        _app = builder.Build();
        _app.MapGet("/visas", Answer);
        File.WriteAllText(AuthorityFile, _certificates.AuthorityPem);
    }

    public IReadOnlyList<string> Arguments => ["--visas", _app.Urls.First(), "--visa-authority", AuthorityFile];

    /// <summary>How often a client began to shake hands.</summary>
    public int Handshakes => Volatile.Read(ref _handshakes);

    private string AuthorityFile => Path.Combine(_folder.FullName, "authority.pem");

    public static async Task<VisaOffice> StartAsync(CancellationToken cancellationToken)
    {
        var office = new VisaOffice();
        await office._app.StartAsync(cancellationToken);
        return office;
    }

    /// <summary>From now on it shows a certificate that ran out yesterday.</summary>
    public void LetExpire() => _hasExpired = true;

    public void Renew() => _hasExpired = false;

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificates.Dispose();
        _folder.Delete(recursive: true);
    }

    // A connection that is kept would outlive the certificate that it was made with.
    private static string Answer(HttpResponse response)
    {
        response.Headers.Connection = "close";
        return "fresh";
    }
}
