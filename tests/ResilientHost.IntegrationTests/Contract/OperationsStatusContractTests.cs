using ResilientHost.IntegrationTests.Operations;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary><c>GET status</c>: names and types as the contract has them. Written from the contract alone.</summary>
public sealed class OperationsStatusContractTests
{
    private static readonly string[] CircuitMembers = ["name", "key", "state", "mode", "failureRatio", "slowCallRatio", "calls", "refused", "retryAfterSeconds", "since"];

    [Theory]
    [OverBothWires]
    public async Task Status_TopLevel_HasNamesAndTypesOfTheContract(Wire wire)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var request = OperationsService.Request(HttpMethod.Get, "/resilience/status");
        using var response = await service.SendAsync(request, wire);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/json");
        response.Headers.CacheControl?.NoStore.ShouldBeTrue("a status that a proxy keeps is a lie");
        var status = JsonElement.Parse(await response.Content.ReadAsStringAsync());
        status.GetProperty("service").GetString().ShouldNotBeNullOrWhiteSpace();
        status.GetProperty("instance").GetString().ShouldNotBeNullOrWhiteSpace();
        status.GetProperty("startedAt").ShouldBeUtc();
        status.GetProperty("level").GetString().ShouldBe("normal");
        foreach (var list in new[] { "circuitBreakers", "bulkheads", "workers", "httpClients", "signals" })
        {
            status.GetProperty(list).ValueKind.ShouldBe(JsonValueKind.Array, list);
        }

        Names(status).ShouldAllBe(name => char.IsAsciiLetterLower(name[0]) && !name.Contains('_') && !name.Contains('-'));
    }

    [Fact]
    public async Task Status_Circuits_HaveTheMembersInTheContractsOrder()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        await service.AskAsync("/automatic");
        var circuits = JsonElement.Parse((await service.AskAsync("/resilience/status")).Body).GetProperty("circuitBreakers").EnumerateArray().ToList();
        circuits.ShouldNotBeEmpty();
        foreach (var circuit in circuits)
        {
            circuit.ShouldBeCircuit();
            circuit.EnumerateObject().Select(static member => member.Name).Take(CircuitMembers.Length).ShouldBe(CircuitMembers);
        }

        circuits.Select(static circuit => circuit.GetProperty("name").GetString()).ShouldContain(OperationsDesk.Slashed);
        circuits.Single(static circuit => circuit.GetProperty("name").GetString() == "GET /automatic").GetProperty("mode").GetString().ShouldBe("shadow");
        circuits.ShouldAllBe(static circuit => !circuit.GetProperty("name").GetString()!.StartsWith("GET /resilience", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Status_Circuit_TellsItsLife()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(OperationsDesk.Setup(time: time));
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
        var closed = await service.CircuitAsync("plain");
        closed.GetProperty("state").GetString().ShouldBe("closed");
        closed.GetProperty("mode").GetString().ShouldBe("enforce");
        closed.GetProperty("calls").GetInt32().ShouldBe(1);
        closed.GetProperty("failureRatio").GetDouble().ShouldBe(0);
        closed.GetProperty("retryAfterSeconds").ValueKind.ShouldBe(JsonValueKind.Null);

        time.Advance(TimeSpan.FromSeconds(1));
        await service.StatusOfAsync("/plain?fail");
        (await service.CircuitAsync("plain")).GetProperty("failureRatio").GetDouble().ShouldBe(0.5);
        await service.StatusOfAsync("/plain?fail");
        var opened = time.GetUtcNow();
        time.Advance(TimeSpan.FromSeconds(4));
        (await service.StatusOfAsync("/plain")).ShouldBe(503);
        var open = await service.CircuitAsync("plain");
        open.GetProperty("state").GetString().ShouldBe("open");
        open.GetProperty("refused").GetInt32().ShouldBe(1);
        open.GetProperty("retryAfterSeconds").GetDouble().ShouldBe(6);
        open.GetProperty("since").GetDateTimeOffset().ShouldBe(opened);

        time.Advance(TimeSpan.FromSeconds(6));
        var halfOpen = await service.CircuitAsync("plain");
        halfOpen.GetProperty("state").GetString().ShouldBe("halfOpen");
        halfOpen.GetProperty("since").GetDateTimeOffset().ShouldBe(time.GetUtcNow());
        halfOpen.GetProperty("retryAfterSeconds").ValueKind.ShouldBe(JsonValueKind.Null);
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
        (await service.CircuitAsync("plain")).GetProperty("state").GetString().ShouldBe("closed");
    }

    [Fact]
    public async Task Status_Bulkheads_HaveTheMembersOfTheContract()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(OperationsDesk.Setup(more: app => app.MapGet("/held", async () =>
        {
            await gate.PassAsync();
            return "held";
        }).WithBulkhead("checkout")));
        var held = service.GetAsync("/held");
        await gate.ArrivalAsync();
        var bulkhead = JsonElement.Parse((await service.AskAsync("/resilience/status")).Body).GetProperty("bulkheads").EnumerateArray().Single(static one => one.GetProperty("name").GetString() == "checkout");
        bulkhead.EnumerateObject().Select(static member => member.Name).Take(5).ShouldBe(["name", "limit", "inFlight", "queued", "refused"]);
        (bulkhead.GetProperty("limit").GetInt32(), bulkhead.GetProperty("inFlight").GetInt32(), bulkhead.GetProperty("queued").GetInt32(), bulkhead.GetProperty("refused").GetInt64()).ShouldBe((7, 1, 0, 0L));
        gate.Open();
        (await held).Dispose();
    }

    [Fact]
    public async Task Status_WorkersSignalsAndClients_HaveTheMembersOfTheContract()
    {
        var script = new Script();
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app => app.MapResilienceStatus().AllowAnonymous(),
            more: builder =>
            {
                builder.Services.AddResilientWorker("orders", script.Make);
                builder.Services.AddHttpClient("pricing").AddResilienceLayers("pricing");
            }));
        (await script.NextAsync()).Context.Heartbeat();
        var status = JsonElement.Parse((await service.AskAsync("/resilience/status")).Body);
        var worker = status.GetProperty("workers").EnumerateArray().Single();
        worker.EnumerateObject().Select(static member => member.Name).Take(5).ShouldBe(["name", "state", "restarts", "lastFailure", "lastHeartbeat"]);
        worker.GetProperty("name").GetString().ShouldBe("orders");
        worker.GetProperty("lastHeartbeat").ShouldBeUtc();
        status.GetProperty("httpClients").EnumerateArray().Select(static client => client.GetProperty("name").GetString()).ShouldBe(["pricing"]);
        var signals = status.GetProperty("signals").EnumerateArray().ToList();
        signals.ShouldNotBeEmpty();
        foreach (var signal in signals)
        {
            signal.EnumerateObject().Select(static member => member.Name).Take(4).ShouldBe(["name", "value", "enter", "exit"]);
            signal.GetProperty("value").ValueKind.ShouldBeOneOf(JsonValueKind.Number, JsonValueKind.Null);
            signal.GetProperty("enter").GetDouble().ShouldBeGreaterThan(signal.GetProperty("exit").GetDouble());
        }
    }

    [Fact]
    public async Task Status_WhereNothingHappens_SaysTheSameEachTime()
    {
        var script = new Script();
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            static app =>
            {
                OperationsDesk.MapTraffic(app);
                app.MapResilienceDashboard().RequireAuthorization();
                app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
            },
            configuration: OperationsDesk.Circuits.TrimEnd()[..^1] + """, "Dashboard": { "KeepHistory": false } }""",
            more: builder =>
            {
                builder.Services.AddResilientWorker("orders", script.Make);
                builder.Services.AddHttpClient("pricing").AddResilienceLayers("pricing");
            }));
        (await script.NextAsync()).Context.Heartbeat("packing");
        using var client = service.Services.GetRequiredService<IHttpClientFactory>().CreateClient("pricing");
        await Should.ThrowAsync<Exception>(() => client.GetAsync(OutboundBench.Nowhere(), TestContext.Current.CancellationToken));
        await service.PostAsync("/resilience/level", """{ "level": "reduced" }""");
        await service.OperateAsync("isolate", new { name = "plain" });
        var told = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            var status = System.Text.Json.Nodes.JsonNode.Parse((await service.AskAsync("/resilience/status", "eve")).Body)!.AsObject();
            status.Remove("signals");
            foreach (var pricing in status["httpClients"]!.AsArray())
            {
                // Retries of the last seconds leave the count as time passes.
                foreach (var authority in pricing!["authorities"]!.AsArray())
                {
                    authority!.AsObject().Remove("retriesLately");
                }
            }

            told.Add(status.ToJsonString());
        }

        told.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Status_OtherMethods_Are405()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        foreach (var method in new[] { "POST", "PUT", "DELETE", "PATCH" })
        {
            (await service.AskAsync("/resilience/status", "eve", new HttpMethod(method))).Status.ShouldBe(405, method);
        }
    }

    [Fact]
    public async Task Status_Keys_AreNotToldToStrangers()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        await service.StatusOfAsync("/tenants/secret-tenant?fail");
        await service.StatusOfAsync("/tenants/secret-tenant?fail");
        (await service.CircuitAsync("tenants", "secret-tenant")).GetProperty("state").GetString().ShouldBe("open");
        var stranger = (await service.AskAsync("/resilience/status")).Body;
        stranger.ShouldNotContain("secret-tenant");
        JsonElement.Parse(stranger).GetProperty("circuitBreakers").EnumerateArray()
            .Count(static circuit => circuit.GetProperty("name").GetString() == "tenants" && circuit.GetProperty("state").GetString() == "open").ShouldBeGreaterThanOrEqualTo(1);
    }

    [Fact]
    public async Task Status_NamesWithMarkup_AreNoMarkupInTheJson()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        (await service.AskAsync("/resilience/status")).Body.ShouldNotContain("<img");
        (await service.AskAsync("/resilience", "eve")).Body.ShouldNotContain("<img src=x");
    }

    [Fact]
    public async Task Status_UnderManyReadersAndTraffic_IsAlwaysWhole()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            await service.StatusOfAsync(i % 3 == 0 ? "/plain?fail" : "/tenants/" + i);
            var (code, body) = await service.AskAsync("/resilience/status");
            code.ShouldBe(200);
            foreach (var circuit in JsonElement.Parse(body).GetProperty("circuitBreakers").EnumerateArray())
            {
                circuit.ShouldBeCircuit();
            }
        });
        service.ShouldHaveLoggedNoError();
    }

    private static IEnumerable<string> Names(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(static member => Names(member.Value).Prepend(member.Name)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Names),
        _ => [],
    };
}
