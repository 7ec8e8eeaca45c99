using ResilientHost.IntegrationTests.Operations;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Whose requests may operate: other origins, proxies and forged addresses. Written from the contract alone.</summary>
public sealed class OperationsOriginContractTests
{
    [Theory]
    [InlineData("cross-site", null, 403)]
    [InlineData("same-site", null, 403)]
    [InlineData("same-origin", null, 200)]
    [InlineData("none", null, 200)]
    [InlineData("garbage", null, 403)]
    [InlineData("", null, 403)]
    [InlineData("same-origin, cross-site", null, 403)]
    [InlineData("cross-site", "self", 403)]
    [InlineData("same-site", "self", 403)]
    [InlineData(null, "self", 200)]
    [InlineData(null, "null", 403)]
    [InlineData(null, "http://evil.example", 403)]
    [InlineData(null, "http://localhost", 403)]
    [InlineData(null, "http://127.0.0.1", 403)]
    [InlineData(null, "http://127.0.0.1:1", 403)]
    [InlineData(null, "self.evil.example", 403)]
    [InlineData(null, "selfx", 403)]
    [InlineData(null, "userinfo", 403)]
    [InlineData(null, "garbage", 403)]
    [InlineData(null, "", 403)]
    [InlineData(null, "self http://evil.example", 403)]
    [InlineData(null, null, 200)]
    public async Task Operation_FromAnOrigin(string? site, string? origin, int expected)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        foreach (var wire in Enum.GetValues<Wire>())
        {
            var self = service.Client(wire).BaseAddress!.GetLeftPart(UriPartial.Authority);
            var headers = new List<(string, string)>();
            if (site is not null)
            {
                headers.Add(("Sec-Fetch-Site", site));
            }

            if (origin is not null)
            {
                headers.Add(("Origin", origin == "userinfo" ? self.Replace("http://", "http://x@evil.example#", StringComparison.Ordinal) : origin.Replace("self", self, StringComparison.Ordinal)));
            }

            (await service.OperateAsync("isolate", new { name = "plain" }, wire, headers: headers)).Status.ShouldBe(expected, $"{wire} isolate");
            (await service.PostBytesAsync("/resilience/level", """{ "level": "normal", "expiresIn": "00:10:00" }"""u8.ToArray(), wire: wire, headers: headers)).Status.ShouldBe(expected, $"{wire} level");
        }

        (await service.CircuitAsync("plain")).GetProperty("state").GetString().ShouldBe(expected == 200 ? "isolated" : "closed");
        service.Level().Snapshot().IsOverridden.ShouldBe(expected == 200);
    }

    [Theory]
    [InlineData("Shop.Example", "http://shop.example", 200)]
    [InlineData("shop.example", "http://SHOP.example", 200)]
    [InlineData("shop.example:80", "http://shop.example", 200)]
    [InlineData("shop.example", "http://shop.example:80", 200)]
    [InlineData("[::1]:5000", "http://[::1]:5000", 200)]
    [InlineData("shop.example:5000", "http://shop.example:5001", 403)]
    [InlineData("shop.example", "http://evil.example", 403)]
    public async Task Operation_FromTheHostThatTheRequestNames(string host, string origin, int expected)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var connection = await service.ConnectAsync();
        const string body = """{"name":"plain"}""";
        await connection.SendAsync($"POST /resilience/circuit-breakers/isolate HTTP/1.1\r\nHost: {host}\r\nX-User: eve\r\nOrigin: {origin}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");
        (await connection.ReadToEndAsync()).ShouldStartWith($"HTTP/1.1 {expected} ");
    }

    [Fact]
    public async Task Operation_FromAnotherOrigin_IsRefusedBeforeItsBodyIsRead()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var connection = await service.ConnectAsync();
        await connection.SendAsync("POST /resilience/circuit-breakers/isolate HTTP/1.1\r\nHost: localhost\r\nX-User: eve\r\nSec-Fetch-Site: cross-site\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n");
        (await connection.ReadUntilAsync("\r\n")).ShouldStartWith("HTTP/1.1 403 ");
    }

    [Fact]
    public async Task Operation_FromAnotherOrigin_ThatCorsAllows_IsStillRefused()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = OperationsDesk.Circuits,
            Builder = builder =>
            {
                OperationsDesk.Setup().Builder!(builder);
                builder.Services.AddCors();
            },
            Outside = app => app.UseCors(cors => cors.SetIsOriginAllowed(static _ => true).AllowAnyHeader().AllowAnyMethod().AllowCredentials()),
            Endpoints = OperationsDesk.Setup().Endpoints,
            MapsStatus = false,
        });
        (await service.OperateAsync("isolate", new { name = "plain" }, headers: ("Origin", "http://evil.example"))).Status.ShouldBe(403);
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
    }

    [Fact]
    public async Task Operation_FromAnotherOrigin_LeavesAnAuditEventAndNoDetails()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        var (status, body) = await service.OperateAsync("isolate", new { name = "plain" }, headers: ("Sec-Fetch-Site", "cross-site"));
        status.ShouldBe(403);
        body.ShouldNotContain("plain");
        (await service.Logs.WaitForAsync(static entry => entry.EventId.Id == 2901, TestService.Patience)).Message.ShouldContain("eve");
    }

    private static Task<TestService> OpenAsync(Action<WebApplication>? outside = null) => TestService.StartAsync(new TestServiceSetup
    {
        Environment = Environments.Development,
        Configuration = OperationsDesk.Circuits,
        Builder = OperationsDesk.Setup().Builder,
        Outside = app =>
        {
            OperationsDesk.Setup().Outside!(app);
            outside?.Invoke(app);
        },
        Endpoints = static app =>
        {
            OperationsDesk.MapTraffic(app);
            app.MapResilienceDashboard();
        },
        MapsStatus = false,
    });

    [Theory]
    [InlineData(null, null, null, 200)]
    [InlineData("127.0.0.1", null, null, 200)]
    [InlineData("::1", null, null, 200)]
    [InlineData("::ffff:127.0.0.1", null, null, 200)]
    [InlineData("203.0.113.5", null, null, 403)]
    [InlineData("192.168.0.7", null, null, 403)]
    [InlineData("203.0.113.5", "X-Forwarded-For", "127.0.0.1", 403)]
    [InlineData("203.0.113.5", "X-Forwarded-For", "::1", 403)]
    [InlineData("203.0.113.5", "Forwarded", "for=127.0.0.1", 403)]
    [InlineData("203.0.113.5", "X-Real-IP", "127.0.0.1", 403)]
    [InlineData(null, "X-Forwarded-For", "127.0.0.1", 403)]
    [InlineData(null, "X-Forwarded-For", "203.0.113.5", 403)]
    [InlineData(null, "x-forwarded-for", "", 403)]
    [InlineData(null, "Forwarded", "for=127.0.0.1;proto=https", 403)]
    [InlineData(null, "X-Real-IP", "127.0.0.1", 403)]
    [InlineData(null, "X-Forwarded-Host", "shop.example", 403)]
    [InlineData(null, "Via", "1.1 proxy", 403)]
    public async Task Development_WithoutAPolicy_ServesThisMachineAlone(string? remote, string? header, string? value, int expected)
    {
        await using var service = await OpenAsync();
        var headers = new List<(string, string)>();
        if (remote is not null)
        {
            headers.Add((OperationsService.RemoteHeader, remote));
        }

        if (header is not null)
        {
            headers.Add((header, value!));
        }

        foreach (var wire in Enum.GetValues<Wire>())
        {
            (await service.OperateAsync("isolate", new { name = "plain" }, wire, null, headers)).Status.ShouldBe(expected);
            (await service.PostBytesAsync("/resilience/level", """{ "level": "normal" }"""u8.ToArray(), user: null, wire: wire, headers: headers)).Status.ShouldBe(expected);
        }

        (await service.StatusOfAsync("/plain")).ShouldBe(expected == 200 ? 503 : 200);
    }

    [Fact]
    public async Task Development_BehindForwardedHeaders_AForgedLoopbackIsNoLocalCaller()
    {
        await using var service = await OpenAsync(static app =>
        {
            var options = new ForwardedHeadersOptions { ForwardedHeaders = Microsoft.AspNetCore.HttpOverrides.ForwardedHeaders.All };
            app.UseForwardedHeaders(options);
        });
        (await service.OperateAsync("isolate", new { name = "plain" }, Wire.Http1, null, ("X-Forwarded-For", "127.0.0.1"))).Status.ShouldBe(403);
        (await service.OperateAsync("isolate", new { name = "plain" }, Wire.Http1, null, ("X-Forwarded-For", "203.0.113.5"))).Status.ShouldBe(403);
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
    }

    [Fact]
    public async Task Development_WithoutAPolicy_AnotherOriginIsRefused()
    {
        await using var service = await OpenAsync();
        (await service.OperateAsync("isolate", new { name = "plain" }, Wire.Http1, null, ("Origin", "http://evil.example"))).Status.ShouldBe(403);
        (await service.OperateAsync("isolate", new { name = "plain" }, Wire.Http1, null, ("Sec-Fetch-Site", "cross-site"))).Status.ShouldBe(403);
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("[::1]", 200)]
    [InlineData("evil.example", 403)]
    public async Task Development_WithoutAPolicy_ANameThatWasRebound_IsNotThisMachine(string host, int expected)
    {
        await using var service = await OpenAsync();
        using var connection = await service.ConnectAsync();
        const string body = """{"name":"plain"}""";
        var port = service.Client().BaseAddress!.Port;
        await connection.SendAsync($"POST /resilience/circuit-breakers/isolate HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: http://{host}:{port}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");
        (await connection.ReadToEndAsync()).ShouldStartWith($"HTTP/1.1 {expected} ");
    }
}
