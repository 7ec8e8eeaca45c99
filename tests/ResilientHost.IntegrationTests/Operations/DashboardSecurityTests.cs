using ResilientHost.Outbound;

namespace ResilientHost.IntegrationTests.Operations;

/// <summary>Environment × policy × user × endpoint.</summary>
public sealed class DashboardSecurityTests
{
    private const string Circuits = """{ "CircuitBreakers": { "orders": { } } }""";
    private static readonly string[] Reading = ["", "dashboard.js", "dashboard.css", "uPlot.esm.js", "uPlot.min.css", "status", "history", "events", "configuration", "openapi.json"];

    private static readonly (string Path, string Body)[] Operating =
    [
        ("level", """{ "level": "normal" }"""),
        ("circuit-breakers/isolate", """{ "name": "orders" }"""),
        ("circuit-breakers/reset", """{ "name": "orders" }"""),
        ("circuit-breakers/force-open", """{ "name": "orders" }"""),
    ];

    private static async Task<int> GetAsync(TestService service, string path, string? user, params IEnumerable<(string, string)> headers)
    {
        using var request = OperationsService.Request(HttpMethod.Get, $"/resilience/{path}", user, headers: headers);
        using var response = await service.SendAsync(request, completion: HttpCompletionOption.ResponseHeadersRead);
        if (response.IsSuccessStatusCode)
        {
            // The files hold nothing of the service, and are asked for anew each time.
            var isFile = path.EndsWith(".js", StringComparison.Ordinal) || path.EndsWith(".css", StringComparison.Ordinal);
            response.Headers.NonValidated["Cache-Control"].ToString().ShouldBe(isFile ? "no-cache" : "no-store", path);
        }

        return (int)response.StatusCode;
    }

    [Theory]
    [InlineData("Production", "anonymous", null, 200)]
    [InlineData("Production", "anonymous", "guest", 200)]
    [InlineData("Production", "anonymous", "eve", 200)]
    [InlineData("Production", "policy", null, 401)]
    [InlineData("Production", "policy", "guest", 403)]
    [InlineData("Production", "policy", "eve", 200)]
    [InlineData("Development", "none", null, 200)]
    [InlineData("Development", "none", "guest", 200)]
    [InlineData("Development", "anonymous", null, 200)]
    [InlineData("Development", "policy", null, 401)]
    [InlineData("Development", "policy", "guest", 403)]
    [InlineData("Development", "policy", "eve", 200)]
    public async Task Dashboard_IsReadAndOperatedByWhomItsPolicyLets(string environment, string guard, string? user, int expected)
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(app => app.MapResilienceDashboard().Guard(guard), environment, Circuits));
        foreach (var path in Reading)
        {
            (await GetAsync(service, path, user)).ShouldBe(expected, path);

            // What is said of the address changes nothing for readers.
            (await GetAsync(service, path, user, ("X-Forwarded-For", "127.0.0.1"))).ShouldBe(expected, path);
        }

        foreach (var (path, body) in Operating)
        {
            // Outside Development nothing operates that was not mapped to.
            var mapped = environment == "Development";
            (await service.PostAsync($"/resilience/{path}", body, user)).Status.ShouldBe(mapped ? expected : 404, path);

            // Verbs that nobody mapped.
            (await GetAsync(service, path, user)).ShouldBe(mapped ? 405 : 404, path);
        }

        foreach (var path in Reading)
        {
            (await service.PostAsync($"/resilience/{path}", "{}", user)).Status.ShouldBe(405, path);
        }
    }

    [Theory]
    [InlineData("none")]
    [InlineData("anonymous")]
    public async Task Operations_WithoutPolicyInDevelopment_ServeThisMachineAlone(string guard)
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app =>
            {
                app.MapResilienceDashboard().Guard(guard);
                app.MapResilienceOperations("/ops").Guard(guard);
            },
            "Development",
            Circuits));
        foreach (var (path, body) in Operating)
        {
            foreach (var prefix in (string[])["/resilience", "/ops"])
            {
                (await service.PostAsync($"{prefix}/{path}", body, user: null)).Status.ShouldBe(200, path);
                (await service.PostAsync($"{prefix}/{path}", body, user: null, (OperationsService.RemoteHeader, "::ffff:127.0.0.1"))).Status.ShouldBe(200, path);
                foreach (var header in (string[])["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Original-For"])
                {
                    (await service.PostAsync($"{prefix}/{path}", body, user: "eve", (header, "127.0.0.1"))).Status.ShouldBe(403, $"{path} {header}");
                }

                (await service.PostAsync($"{prefix}/{path}", body, user: "eve", (OperationsService.RemoteHeader, "192.0.2.7"))).Status.ShouldBe(403, path);
                (await service.PostAsync($"{prefix}/{path}", body, user: "eve", (OperationsService.RemoteHeader, "192.0.2.7"), ("X-Forwarded-For", "127.0.0.1"))).Status.ShouldBe(403, path);

                // An attacker's name that leads here.
                (await service.PostAsync($"{prefix}/{path}", body, user: null, ("Host", "evil.example:5000"), ("Origin", "http://evil.example:5000"))).Status.ShouldBe(403, path);
                (await service.PostAsync($"{prefix}/{path}", body, user: null, ("Host", "localhost:5000"), ("Origin", "http://localhost:5000"))).Status.ShouldBe(200, path);
            }
        }
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task Operations_MappedByThemselves_GoByTheirOwnPolicy(string environment)
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app =>
            {
                // The page for everyone, operating for those on call: whichever is mapped first.
                app.MapResilienceDashboard().AllowAnonymous();
                app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
                app.MapResilienceStatus("/resilience").RequireAuthorization();
            },
            environment,
            Circuits));
        (await GetAsync(service, "status", user: null)).ShouldBe(401);
        (await GetAsync(service, "status", "guest")).ShouldBe(200);
        (await GetAsync(service, "history", user: null)).ShouldBe(200);
        foreach (var (path, body) in Operating)
        {
            (await service.PostAsync($"/resilience/{path}", body, user: null)).Status.ShouldBe(401, path);
            (await service.PostAsync($"/resilience/{path}", body, "guest")).Status.ShouldBe(403, path);
            (await service.PostAsync($"/resilience/{path}", body, "eve")).Status.ShouldBe(200, path);

            // Behind a policy the address does not matter.
            (await service.PostAsync($"/resilience/{path}", body, "eve", ("X-Forwarded-For", "192.0.2.7"), (OperationsService.RemoteHeader, "192.0.2.8"))).Status.ShouldBe(200, path);
        }
    }

    [Theory]
    [InlineData("cross-site", null, 403)]
    [InlineData("same-site", null, 403)]
    [InlineData("", null, 403)]
    [InlineData("same-origin", null, 200)]
    [InlineData("none", null, 200)]
    [InlineData("same-origin", "https://evil.example", 200)]
    [InlineData("cross-site", "https://shop.example", 403)]
    [InlineData(null, "https://shop.example", 200)]
    [InlineData(null, "https://SHOP.example", 200)]
    [InlineData(null, "http://shop.example", 403)]
    [InlineData(null, "https://evil.example", 403)]
    [InlineData(null, "https://shop.example.evil.example", 403)]
    [InlineData(null, "https://shop.example@evil.example", 403)]
    [InlineData(null, "https://shop.example:8443", 403)]
    [InlineData(null, "null", 403)]
    [InlineData(null, "nonsense", 403)]
    [InlineData(null, null, 200)]
    public async Task Operations_FromAnotherOrigin_AreRefusedBeforeTheBodyIsRead(string? site, string? origin, int expected)
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(app => app.MapResilienceOperations().Guard("policy"), configuration: Circuits));
        List<(string, string)> headers = [("Host", "shop.example:443")];
        if (site is not null)
        {
            headers.Add(("Sec-Fetch-Site", site));
        }

        if (origin is not null)
        {
            headers.Add(("Origin", origin));
        }

        foreach (var (path, body) in Operating)
        {
            var (status, answer) = await service.PostAsync($"/resilience/{path}", body, "eve", headers);
            status.ShouldBe(expected, $"{path} {answer}");
            if (expected == 403)
            {
                JsonElement.Parse(answer).GetProperty("detail").GetString().ShouldBe("The request was refused: it came from another origin.");

                // Not what the body says decides.
                (await service.PostAsync($"/resilience/{path}", "nonsense", "eve", headers)).Status.ShouldBe(403, path);
            }
        }
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public async Task Start_DashboardOpenByAccident_IsRefused(string environment)
    {
        var error = await TestService.FailToStartAsync(OperationsService.Setup(app => app.MapResilienceDashboard("/ops"), environment));
        error.ShouldContain("MapResilienceDashboard(\"/ops\")");
        error.Split("MapResilienceDashboard(").Length.ShouldBe(2, "it is said once, not once for each endpoint");
        error.ShouldContain("RequireAuthorization");
        (await TestService.FailToStartAsync(OperationsService.Setup(app =>
        {
            app.MapResilienceDashboard().RequireAuthorization();
            app.MapResilienceOperations().AllowAnonymous();
        }))).ShouldContain("in place of .AllowAnonymous()");
    }

    [Fact]
    public async Task Strangers_ReadNeitherKeysNorTextsNorNetworks()
    {
        const string configuration = """
            { "CircuitBreakers": { "orders": { "PartitionBy": "Header:X-Tenant", "ConsecutiveFailures": 1 } },
              "TrustedCallers": { "Networks": ["10.9.8.0/24", "127.0.0.0/8"] }, "HttpClients": { "pricing": { } } }
            """;
        var activity = "importing secret-customer";
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app =>
            {
                app.MapResilienceDashboard().AllowAnonymous();
                app.MapGet("/fail", string () => throw new InvalidOperationException("boom")).WithCircuitBreaker("orders");
            },
            configuration: configuration,
            more: builder => builder.Services.AddResilientWorker("sync", _ => new Talker(() => activity))));
        service.Services.GetRequiredService<OutboundClients>().GetOrAdd("pricing").Of(new Uri("https://secret-authority.example/")).CircuitBreaker.ForceOpen(TimeSpan.FromHours(1));
        using (var fail = OperationsService.Request(HttpMethod.Get, "/fail", headers: ("X-Tenant", "secret-tenant")))
        {
            (await service.SendAsync(fail)).Dispose();
        }

        await TestService.EventuallyAsync(async () => (await ReadAsync("status", "guest")).Contains("secret-customer", StringComparison.Ordinal), "the worker says what it does");
        foreach (var path in (string[])["", "status", "history", "configuration"])
        {
            var (strangers, users) = (await ReadAsync(path, user: null), await ReadAsync(path, "guest"));
            strangers.ShouldNotContain("secret-");
            strangers.ShouldNotContain("10.9.8.0");
            if (path == "configuration")
            {
                users.ShouldContain("10.9.8.0");
            }
        }

        (await ReadAsync("status", "guest")).ShouldContain("secret-tenant");
        foreach (var logged in JsonElement.Parse(await ReadAsync("history", user: null)).GetProperty("events").EnumerateArray())
        {
            logged.GetProperty("message").ValueKind.ShouldBe(JsonValueKind.Null);
        }

        using (var stream = await EventStream.OpenAsync(service))
        {
            (await stream.NextAsync("status")).GetRawText().ShouldNotContain("secret-");
            activity = "exporting secret-partner";
            service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders").Partitions!.Get("secret-tenant").Isolate();
            var seen = new HashSet<string?>();
            while (!seen.IsSupersetOf(["circuitBreaker", "worker", "httpClient", "event"]))
            {
                var (name, data) = (await stream.NextAsync()).ShouldNotBeNull();
                seen.Add(name);
                if (data.ValueKind != JsonValueKind.Undefined)
                {
                    data.GetRawText().ShouldNotContain("secret-");
                }

                if (name == "sample")
                {
                    service.Services.GetRequiredService<OutboundClients>().GetOrAdd("pricing").Of(new Uri("https://secret-authority.example/")).CircuitBreaker.Reset();
                    service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders").Isolate();
                }
            }
        }

        async Task<string> ReadAsync(string path, string? user)
        {
            using var request = OperationsService.Request(HttpMethod.Get, $"/resilience/{path}", user);
            using var response = await service.SendAsync(request);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            return await response.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task Operations_RefusedByTheirPolicy_AreWrittenDown()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app =>
            {
                app.MapResilienceDashboard().AllowAnonymous();
                app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
                app.MapPost("/level", () => Results.StatusCode(403));
            },
            configuration: Circuits));
        (await service.PostAsync("/level", "{}", "guest")).Status.ShouldBe(403);
        (await GetAsync(service, "status", "guest")).ShouldBe(200);
        service.Logs.Entries.ShouldNotContain(static entry => entry.EventId.Id == 2901);

        (await service.PostAsync("/resilience/circuit-breakers/isolate", """{ "name": "orders" }""", "guest-mallory")).Status.ShouldBe(403);
        var refused = await service.Logs.WaitForAsync(static entry => entry.EventId.Id == 2901, TestService.Patience);
        refused.Message.ShouldContain("guest-mallory");
        refused.Message.ShouldContain("circuit-breakers/isolate");
        refused.Message.ShouldContain("403");

        // What is refused behind the policy is written down once.
        (await service.PostAsync("/resilience/circuit-breakers/isolate", """{ "name": "nobody" }""", "eve")).Status.ShouldBe(404);
        (await service.PostAsync("/resilience/level", """{ "level": null }""", user: null)).Status.ShouldBe(401);
        await service.DisposeAsync();
        service.Logs.Entries.Where(static entry => entry.EventId.Id == 2902).ShouldHaveSingleItem().Message.ShouldStartWith("2 more");
    }

    private sealed class Talker(Func<string> activity) : IResilientWorker
    {
        public async Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                context.Heartbeat(activity());
                await Task.Delay(TimeSpan.FromMilliseconds(50), stoppingToken);
            }
        }
    }
}
