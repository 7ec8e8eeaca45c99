using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;

namespace ResilientHost.IntegrationTests.Outbound;

public sealed class CertificateHandshakeTests
{
    private const string Client = "prices";
    private static readonly CertificateAuthority Authority = new();

    public static TheoryData<string, string, string> Faults => new()
    {
        { "expired", "expired", "it expired on " },
        { "issuer expired", "expired", "its issuer 'CN=Test intermediate " },
        { "not yet valid", "not_yet_valid", "it is not valid before " },
        { "wrong name", "wrong_name", "it is for 'elsewhere.example'" },
        { "untrusted", "untrusted", "its issuer is not trusted (" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Handshake_BadCertificate_IsExplainedNotRetriedAndOpensTheCircuitAtOnce(string what, string kind, string text)
    {
        await using var server = new CertificateServer(Create(what));
        await using var service = await StartAsync(Authority.CreateHandler);

        var error = await Should.ThrowAsync<HttpRequestException>(() => GetAsync(service, server.Address));

        error.HttpRequestError.ShouldBe(HttpRequestError.SecureConnectionError);
        error.Message.ShouldStartWith("The TLS certificate of 'localhost' is not accepted: ");
        error.Message.ShouldContain(text);
        error.InnerException.ShouldBeOfType<HttpRequestException>().GetBaseException().ShouldBeAssignableTo<AuthenticationException>();
        server.Handshakes.ShouldBe(1);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.OutboundCertificateFaults, (ResilienceDiagnostics.Tags.OutboundClient, Client), (ResilienceDiagnostics.Tags.CertificateFault, kind))
            .ShouldBe(1);

        var refused = await Should.ThrowAsync<OutboundRefusedException>(() => GetAsync(service, server.Address));
        refused.Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
        refused.Refusal.RetryAfter!.Value.ShouldBeInRange(TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(1));
        server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task Handshake_BadCertificateThroughHttpClientHandler_IsExplainedToo()
    {
        await using var server = new CertificateServer(Authority.Create(trusted: false));
        await using var service = await StartAsync(static () => new HttpClientHandler { UseProxy = false });

        var error = await Should.ThrowAsync<HttpRequestException>(() => GetAsync(service, server.Address));

        error.Message.ShouldContain("its issuer is not trusted (");
        await Should.ThrowAsync<OutboundRefusedException>(() => GetAsync(service, server.Address));
        server.Connections.ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [SuppressMessage("Security", "MA0039:Do not write your own certificate validation method", Justification = "An application that does is what is tested.")]
    public async Task Handshake_ApplicationsValidationAccepts_GoesThroughAndOnlyTheDateIsTold(bool sockets)
    {
        await using var server = new CertificateServer(Create("expired"));
        await using var service = await StartAsync(sockets ? Sockets : Handler);

        (await GetAsync(service, server.Address)).ShouldBe(HttpStatusCode.OK);

        service.Metrics.RecordObservableInstruments();
        service.Metrics.Last(
            ResilienceDiagnostics.Instruments.OutboundCertificateExpiry,
            (ResilienceDiagnostics.Tags.OutboundClient, Client),
            (ResilienceDiagnostics.Tags.ServerAddress, "localhost"),
            (ResilienceDiagnostics.Tags.ServerPort, server.Port)).ShouldNotBeNull().ShouldBeLessThan(0);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.OutboundCertificateFaults).ShouldBe(0);
        service.Logs.Entries.Count(entry => entry.EventId.Name == "CertificateExpired").ShouldBe(1);

        static HttpMessageHandler Sockets()
        {
            var handler = Authority.CreateHandler();
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, errors) => errors == SslPolicyErrors.RemoteCertificateChainErrors;
            return handler;
        }

        static HttpMessageHandler Handler() => new HttpClientHandler { UseProxy = false, ServerCertificateCustomValidationCallback = static (_, certificate, _, _) => certificate is not null };
    }

    [Fact]
    public async Task Handshake_ApplicationsValidationTurnsDownAGoodOne_IsAFaultOfAnotherKind()
    {
        await using var server = new CertificateServer(Authority.Create());
        await using var service = await StartAsync(static () =>
        {
            var handler = Authority.CreateHandler();
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => false;
            return handler;
        });

        (await Should.ThrowAsync<HttpRequestException>(() => GetAsync(service, server.Address))).Message.ShouldContain("the application's own validation turned it down");

        service.Metrics.Sum(ResilienceDiagnostics.Instruments.OutboundCertificateFaults, (ResilienceDiagnostics.Tags.CertificateFault, "other")).ShouldBe(1);
    }

    [Fact]
    public async Task Handshake_NotTls_IsSaidAndCountsAsAnyFailure()
    {
        await using var server = new CertificateServer(Authority.Create()) { IsPlain = true };
        await using var service = await StartAsync(Authority.CreateHandler);

        var error = await Should.ThrowAsync<HttpRequestException>(() => GetAsync(service, server.Address));

        error.Message.ShouldBe($"The TLS handshake with 'localhost:{server.Port}' failed: what came back is not TLS; is the address one of plain http?");
        server.Connections.ShouldBeGreaterThan(1);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.OutboundCertificateFaults).ShouldBe(0);
    }

    [Fact]
    public async Task Handshake_NoProtocolInCommon_IsSaid()
    {
        await using var server = new CertificateServer(Authority.Create()) { Protocols = SslProtocols.Tls12 };
        await using var service = await StartAsync(static () =>
        {
            var handler = Authority.CreateHandler();
            handler.SslOptions.EnabledSslProtocols = SslProtocols.Tls13;
            return handler;
        });

        (await Should.ThrowAsync<HttpRequestException>(() => GetAsync(service, server.Address))).Message.ShouldContain("no protocol version and cipher in common");
    }

    [Fact]
    public async Task Handshake_CertificateRenewed_OneCallAtATimeTriesAndTheCircuitCloses()
    {
        await using var server = new CertificateServer(Create("expired"));
        await using var service = await StartAsync(Authority.CreateHandler, """{ "HttpClients": { "prices": { "CertificateBreakDuration": "00:00:01" } } }""");
        await Should.ThrowAsync<HttpRequestException>(() => GetAsync(service, server.Address));

        server.Certificates = Authority.Create();
        server.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var probing = new List<Task<bool>>();
        await TestService.EventuallyAsync(
            () =>
            {
                probing.Add(TryAsync(service, server.Address));
                return Task.FromResult(server.Handshakes == 2);
            },
            "the handshake of a probe");
        for (var call = 0; call < 20; call++)
        {
            await Should.ThrowAsync<OutboundRefusedException>(() => GetAsync(service, server.Address));
        }

        server.Handshakes.ShouldBe(2);
        server.Gate.SetResult();
        (await Task.WhenAll(probing)).Count(succeeded => succeeded).ShouldBe(1);
        await TestService.EventuallyAsync(() => TryAsync(service, server.Address), "calls get through");
        service.Logs.Entries.ShouldContain(entry => entry.EventId.Name == "CertificateAcceptedAgain");
    }

    [Fact]
    public async Task Handshake_RedirectToABadCertificate_LeavesTheRedirectingServersCircuitAlone()
    {
        await using var bad = new CertificateServer(Create("expired"));
        await using var server = new CertificateServer(Authority.Create()) { Answer = $"302 Found\r\nLocation: {bad.Address}\r\nContent-Length: 0\r\n" };
        await using var service = await StartAsync(Authority.CreateHandler);

        (await Should.ThrowAsync<HttpRequestException>(() => GetAsync(service, server.Address))).Message.ShouldContain("it expired on ");
        server.Answer = "200 OK\r\nContent-Length: 2\r\n";

        (await GetAsync(service, server.Address)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Handshake_ManyCallsAtOnceOnABadCertificate_AreOneBreakAndThenNoHandshakes()
    {
        const int Callers = 100;
        await using var server = new CertificateServer(Create("expired"));
        await using var service = await StartAsync(Authority.CreateHandler);

        var errors = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Should.ThrowAsync<HttpRequestException>(() => GetAsync(service, server.Address))));
        var handshakes = server.Handshakes;
        for (var call = 0; call < 1_000; call++)
        {
            await Should.ThrowAsync<OutboundRefusedException>(() => GetAsync(service, server.Address));
        }

        // Without the layers it would be one for each call, and without the fault being final three.
        handshakes.ShouldBeLessThanOrEqualTo(Callers);
        server.Handshakes.ShouldBe(handshakes);
        errors.OfType<OutboundRefusedException>().ShouldAllBe(error => error.Refusal.RetryAfter <= TimeSpan.FromMinutes(1));
        service.Logs.Entries.Count(entry => entry.EventId.Name == "CertificateNotAccepted").ShouldBe(1);
        TestContext.Current.TestOutputHelper?.WriteLine($"{Callers} calls: {handshakes} handshakes; 1,000 more: 0.");
    }

    private static ShownCertificate Create(string what) => what switch
    {
        "expired" => Authority.Create(until: CertificateAuthority.Now.AddDays(-1)),
        "issuer expired" => Authority.Create(intermediateUntil: CertificateAuthority.Now.AddDays(-1)),
        "not yet valid" => Authority.Create(from: CertificateAuthority.Now.AddDays(1)),
        "wrong name" => Authority.Create("elsewhere.example"),
        _ => Authority.Create(trusted: false),
    };

    private static Task<TestService> StartAsync(Func<HttpMessageHandler> handler, string configuration = "{}") => TestService.StartAsync(new TestServiceSetup
    {
        Configuration = configuration,

        // The application configures its handler last: it is looked at all the same.
        Builder = builder => builder.Services.AddHttpClient(Client).AddResilienceLayers().ConfigurePrimaryHttpMessageHandler(handler),
    });

    private static async Task<HttpStatusCode> GetAsync(TestService service, Uri address)
    {
        using var client = service.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Client);
        using var response = await client.GetAsync(address);
        return response.StatusCode;
    }

    private static async Task<bool> TryAsync(TestService service, Uri address)
    {
        try
        {
            return await GetAsync(service, address) == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
