using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResilientHost.IntegrationTests.Testing;

public sealed class ScriptedTlsTests
{
    [Fact]
    public async Task Certificate_Valid_IsTrustedByTheServersOwnClients()
    {
        await using var upstream = await Upstream.StartAsync(new ScriptedServerOptions { Certificate = ScriptedCertificate.Valid, Protocols = HttpProtocols.Http1AndHttp2 });
        upstream.Server.Default.Replies(ScriptedReply.Status(200));

        upstream.Server.Address.Scheme.ShouldBe("https");
        (await upstream.StatusAsync("/")).ShouldBe(200);
        (await upstream.StatusAsync($"https://localhost:{upstream.Server.Address.Port}/")).ShouldBe(200);
        upstream.Server.Requests.ShouldAllBe(request => request.Protocol == "HTTP/2");

        using var older = new HttpClient(upstream.Server.CreateHandler());
        (await older.GetAsync(upstream.Server.Address)).Version.ShouldBe(HttpVersion.Version11);
    }

    [Theory]
    [InlineData(ScriptedCertificate.Expired, SslPolicyErrors.RemoteCertificateChainErrors, "NotTimeValid")]
    [InlineData(ScriptedCertificate.WrongHost, SslPolicyErrors.RemoteCertificateNameMismatch, "")]
    [InlineData(ScriptedCertificate.SelfSigned, SslPolicyErrors.RemoteCertificateChainErrors, "UntrustedRoot")]
    public async Task Certificate_Bad_FailsForItsOneReason(ScriptedCertificate certificate, SslPolicyErrors expected, string status)
    {
        await using var upstream = await Upstream.StartAsync(Wire.Http1, certificate: certificate);
        upstream.Server.Default.Replies(ScriptedReply.Status(200));

        var error = await Should.ThrowAsync<HttpRequestException>(() => upstream.Client.GetAsync(upstream.Server.Address));
        error.HttpRequestError.ShouldBe(HttpRequestError.SecureConnectionError);
        error.InnerException.ShouldBeOfType<AuthenticationException>().Message.ShouldContain(status);
        upstream.Server.RequestCount.ShouldBe(0);

        // A client that forgives this one fault gets through: there is no other.
        var handler = upstream.Server.CreateHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, errors) => errors == expected;
        using var forgiving = new HttpClient(handler);
        (await forgiving.GetAsync(upstream.Server.Address)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Certificate_OfAnotherServersAuthority_IsNotTrusted()
    {
        await using var one = await Upstream.StartAsync(Wire.Http1, certificate: ScriptedCertificate.Valid);
        await using var other = await Upstream.StartAsync(Wire.Http1, certificate: ScriptedCertificate.Valid);

        (await Should.ThrowAsync<HttpRequestException>(() => one.Client.GetAsync(other.Server.Address))).HttpRequestError.ShouldBe(HttpRequestError.SecureConnectionError);
        using var stock = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        (await Should.ThrowAsync<HttpRequestException>(() => stock.GetAsync(one.Server.Address))).HttpRequestError.ShouldBe(HttpRequestError.SecureConnectionError);
        one.Server.Authority!.HasPrivateKey.ShouldBeFalse();
    }

    [Fact]
    public async Task Plain_Server_HasNoAuthority()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Authority.ShouldBeNull();
        server.Address.Scheme.ShouldBe("http");
        server.Address.Host.ShouldBe("127.0.0.1");
    }
}
