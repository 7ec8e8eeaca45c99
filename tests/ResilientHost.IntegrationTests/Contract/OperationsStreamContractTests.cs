using ResilientHost.IntegrationTests.Operations;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary><c>GET events</c>. Written from the contract alone.</summary>
public sealed class OperationsStreamContractTests
{
    private static string Dashboard(string options) => OperationsDesk.Circuits.TrimEnd()[..^1] + $$""", "Dashboard": { {{options}} } }""";

    [Theory]
    [OverBothWires]
    public async Task Stream_Answer_IsAnEventStreamThatNobodyKeepsOrBuffers(Wire wire)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var stream = await EventStream.OpenAsync(service, "eve", wire);
        stream.Response.Content.Headers.ContentType?.MediaType.ShouldBe("text/event-stream");
        stream.Response.Headers.CacheControl.ShouldNotBeNull().ToString().ShouldMatch("no-(store|cache)");
        stream.Response.Content.Headers.ContentLength.ShouldBeNull();
    }

    [Theory]
    [OverBothWires]
    public async Task Stream_FirstMessage_IsTheWholeStatus(Wire wire)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var stream = await EventStream.OpenAsync(service, "eve", wire);
        (string? Name, JsonElement Data)? first;
        while ((first = await stream.NextAsync()) is { Name: null })
        {
            // A comment comes before nothing, but is allowed to.
        }

        first.ShouldNotBeNull().Name.ShouldBe("status");
        var polled = JsonElement.Parse((await service.AskAsync("/resilience/status", "eve")).Body);
        first.Value.Data.EnumerateObject().Select(static member => member.Name).ShouldBe(polled.EnumerateObject().Select(static member => member.Name));
        first.Value.Data.GetProperty("instance").GetString().ShouldBe(polled.GetProperty("instance").GetString());
        first.Value.Data.GetProperty("circuitBreakers").EnumerateArray().Select(static circuit => circuit.GetProperty("name").GetString())
            .ShouldBe(polled.GetProperty("circuitBreakers").EnumerateArray().Select(static circuit => circuit.GetProperty("name").GetString()), ignoreOrder: true);
    }

    [Theory]
    [InlineData(Wire.Http1, "true")]
    [InlineData(Wire.Http2, "true")]
    [InlineData(Wire.Http1, "false")]
    public async Task Stream_CircuitThatOpens_IsTheSameObjectAsInStatus(Wire wire, string keepsHistory)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup(configuration: Dashboard($"\"KeepHistory\": {keepsHistory}")));
        using var stream = await EventStream.OpenAsync(service, "eve", wire);
        await stream.NextAsync("status");
        await service.StatusOfAsync("/slashed?fail");
        await service.StatusOfAsync("/slashed?fail");
        var told = await stream.NextAsync("circuitBreaker", static circuit => circuit.GetProperty("name").GetString() == OperationsDesk.Slashed && circuit.GetProperty("state").GetString() == "open");
        told.ShouldBeCircuit();
        var polled = await service.CircuitAsync(OperationsDesk.Slashed);
        told.EnumerateObject().Select(static member => (member.Name, Kind(member.Value))).ShouldBe(polled.EnumerateObject().Select(static member => (member.Name, Kind(member.Value))));
        (told.GetProperty("since").GetDateTimeOffset() - polled.GetProperty("since").GetDateTimeOffset()).Duration().ShouldBeLessThan(TimeSpan.FromSeconds(1));

        static string Kind(JsonElement value) => value.ValueKind is JsonValueKind.Null or JsonValueKind.Number ? "number" : value.ValueKind.ToString();
    }

    [Fact]
    public async Task Since_OfOneState_IsOneMoment()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var stream = await EventStream.OpenAsync(service, "eve");
        (await service.OperateAsync("isolate", new { name = "plain" })).Status.ShouldBe(200);
        var told = new HashSet<string?> { (await stream.CircuitAsync("plain", "isolated")).GetProperty("since").GetString() };
        for (var i = 0; i < 50; i++)
        {
            told.Add((await service.CircuitAsync("plain")).GetProperty("since").GetString());
        }

        told.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Stream_WhereNothingChanges_RepeatsNothing()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup(configuration: Dashboard("\"KeepHistory\": false, \"Heartbeat\": \"00:00:01\"")));
        (await service.OperateAsync("isolate", new { name = "plain" })).Status.ShouldBe(200);
        using var stream = await EventStream.OpenAsync(service, "eve");
        await stream.NextAsync("status");
        var repeated = new List<string>();
        for (var beats = 0; beats < 3;)
        {
            var (name, data) = (await stream.NextAsync()).ShouldNotBeNull();
            beats += name is null ? 1 : 0;
            if (name is "circuitBreaker" or "bulkhead" or "worker" or "level" or "httpClient" or "fallback" or "isolatedTask")
            {
                repeated.Add(name + data.GetRawText());
            }

            repeated.Count.ShouldBeLessThan(30, string.Join('\n', repeated));
        }

        repeated.ShouldBeEmpty();
    }

    [Fact]
    public async Task Stream_ReaderThatDoesNotRead_HoldsUpNobody()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var deaf = await service.ConnectAsync();
        await deaf.SendAsync("GET /resilience/events HTTP/1.1\r\nHost: localhost\r\nX-User: deaf\r\n\r\n");
        using var stream = await EventStream.OpenAsync(service, "eve");
        for (var i = 0; i < 300; i++)
        {
            (await service.OperateAsync(i % 2 == 0 ? "isolate" : "reset", new { name = i % 4 < 2 ? "plain" : OperationsDesk.Slashed })).Status.ShouldBe(200);
        }

        (await service.OperateAsync("isolate", new { name = "other" })).Status.ShouldBe(200);
        await stream.CircuitAsync("other", "isolated");
        await service.Services.GetRequiredService<IHost>().StopAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Stream_OfFallbacksAndClients_TellsThemAsTheyChange()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            static app =>
            {
                app.MapGet("/falls", static string () => throw new InvalidOperationException()).WithFallback(static () => "spare");
                app.MapResilienceDashboard().RequireAuthorization();
            },
            more: static builder => builder.Services.AddHttpClient("pricing").AddResilienceLayers("pricing")));
        using var stream = await EventStream.OpenAsync(service, "eve");
        await stream.NextAsync("status");
        (await service.AskAsync("/falls")).ShouldBe((200, "spare"));
        (await stream.NextAsync("fallback")).GetProperty("delegate").GetInt32().ShouldBe(1);
        using var client = service.Services.GetRequiredService<IHttpClientFactory>().CreateClient("pricing");
        await Should.ThrowAsync<Exception>(() => client.GetAsync(OutboundBench.Nowhere(), TestContext.Current.CancellationToken));
        (await stream.NextAsync("httpClient")).GetProperty("name").GetString().ShouldBe("pricing");
    }

    [Fact]
    public async Task Stream_States_ComeInOrder()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var stream = await EventStream.OpenAsync(service, "eve");
        await stream.NextAsync("status");
        foreach (var (operation, state) in new[] { ("isolate", "isolated"), ("reset", "closed"), ("force-open", "open"), ("reset", "closed"), ("isolate", "isolated") })
        {
            (await service.OperateAsync(operation, new { name = "plain" })).Status.ShouldBe(200);
            var told = await stream.NextAsync("circuitBreaker", static circuit => circuit.GetProperty("name").GetString() == "plain");
            if (told.GetProperty("state").GetString() != state)
            {
                // One that was on its way when the operation came.
                await stream.NextAsync("circuitBreaker", circuit => circuit.GetProperty("name").GetString() == "plain" && circuit.GetProperty("state").GetString() == state);
            }
        }
    }

    [Fact]
    public async Task Stream_AfterABurstOfChanges_EndsWithTheLast()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var stream = await EventStream.OpenAsync(service, "eve");
        for (var i = 0; i < 40; i++)
        {
            (await service.OperateAsync(i % 2 == 0 ? "isolate" : "reset", new { name = "plain" })).Status.ShouldBe(200);
        }

        (await service.OperateAsync("isolate", new { name = "other" })).Status.ShouldBe(200);
        var last = "";
        while (true)
        {
            var (name, data) = (await stream.NextAsync()).ShouldNotBeNull();
            var circuits = name == "circuitBreaker" ? [data] : name == "status" ? data.GetProperty("circuitBreakers").EnumerateArray().ToArray() : [];
            foreach (var circuit in circuits)
            {
                last = circuit.GetProperty("name").GetString() == "plain" ? circuit.GetProperty("state").GetString() : last;
            }

            if (circuits.Any(static circuit => circuit.GetProperty("name").GetString() == "other" && circuit.GetProperty("state").GetString() == "isolated"))
            {
                break;
            }
        }

        // The last state of the other may be told by the same sweep, after this one.
        if (last != "closed")
        {
            await stream.NextAsync("circuitBreaker", static circuit => circuit.GetProperty("name").GetString() == "plain" && circuit.GetProperty("state").GetString() == "closed");
        }
    }

    [Fact]
    public async Task Stream_LevelByHand_IsTold()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var stream = await EventStream.OpenAsync(service, "eve");
        await stream.NextAsync("status");
        (await service.PostAsync("/resilience/level", """{ "level": "essential" }""")).Status.ShouldBe(200);
        var level = await stream.NextAsync("level", static told => told.GetProperty("level").GetString() == "essential");
        level.GetProperty("overridden").GetBoolean().ShouldBeTrue();
        (await service.PostAsync("/resilience/level", """{ "level": null }""")).Status.ShouldBe(200);
        await stream.NextAsync("level", static told => told.GetProperty("level").GetString() == "normal" && !told.GetProperty("overridden").GetBoolean());
    }

    [Fact]
    public async Task Stream_OfSeveralReaders_TellsEach_AndOneThatLeavesDisturbsNobody()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var http1 = await EventStream.OpenAsync(service, "eve");
        using var http2 = await EventStream.OpenAsync(service, "adam", Wire.Http2);
        using var second = await EventStream.OpenAsync(service, "adam", Wire.Http2);
        using (var leaver = await EventStream.OpenAsync(service, "eve"))
        {
            await leaver.NextAsync("status");
        }

        await service.OperateAsync("isolate", new { name = OperationsDesk.Slashed });
        foreach (var stream in new[] { http1, http2, second })
        {
            (await stream.CircuitAsync(OperationsDesk.Slashed, "isolated")).ShouldBeCircuit();
        }

        service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [OverBothWires]
    public async Task Stream_Silence_IsBrokenByHeartbeats(Wire wire)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup(configuration: Dashboard("\"KeepHistory\": false, \"Heartbeat\": \"00:00:01\"")));
        using var stream = await EventStream.OpenAsync(service, "eve", wire);
        var beats = 0;
        for (var i = 0; i < 200 && beats < 3; i++)
        {
            beats += (await stream.NextAsync()).ShouldNotBeNull().Name is null ? 1 : 0;
        }

        beats.ShouldBe(3);
    }

    [Fact]
    public async Task Stream_BeyondOneUsersPlaces_Is429WhateverForwardedForSays_AndPlacesComeBack()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup(configuration: Dashboard("\"MaxStreamsPerUser\": 2")));
        var first = await EventStream.OpenAsync(service, "eve");
        using var second = await EventStream.OpenAsync(service, "eve", Wire.Http2);
        foreach (var forged in new[] { "10.0.0.1", "10.0.0.2" })
        {
            using var request = OperationsService.Request(HttpMethod.Get, "/resilience/events", "eve", null, ("X-Forwarded-For", forged), ("X-Real-IP", forged));
            using var refused = await service.SendAsync(request);
            ((int)refused.StatusCode).ShouldBe(429);
            refused.Headers.RetryAfter.ShouldNotBeNull();
        }

        using (await EventStream.OpenAsync(service, "adam"))
        {
        }

        first.Dispose();
        await TestService.EventuallyAsync(
            async () =>
            {
                using var request = OperationsService.Request(HttpMethod.Get, "/resilience/events", "eve");
                using var response = await service.SendAsync(request, Wire.Http1, HttpCompletionOption.ResponseHeadersRead);
                return response.StatusCode == HttpStatusCode.OK;
            },
            "a place again");
    }

    [Fact]
    public async Task Stream_OfStrangers_IsLimitedByAddress_WhateverForwardedForSays()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            static app =>
            {
                OperationsDesk.MapTraffic(app);
                app.MapResilienceDashboard().AllowAnonymous();
            },
            configuration: Dashboard("\"MaxStreamsPerUser\": 1")));
        using var first = await EventStream.OpenAsync(service);
        using var forged = OperationsService.Request(HttpMethod.Get, "/resilience/events", null, null, ("X-Forwarded-For", "10.1.1.1"), ("Forwarded", "for=10.1.1.1"), ("X-Original-For", "10.1.1.1"));
        (await service.StatusAsync(forged)).ShouldBe(429);
        using var elsewhere = OperationsService.Request(HttpMethod.Get, "/resilience/events", null, null, (OperationsService.RemoteHeader, "10.1.1.1"));
        using var answer = await service.SendAsync(elsewhere, Wire.Http1, HttpCompletionOption.ResponseHeadersRead);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var named = await EventStream.OpenAsync(service, "eve");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Stream_BeyondAllPlaces_Is503WithATimeToComeBack(int places)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup(configuration: Dashboard($"\"MaxStreams\": {places}")));
        var open = new List<EventStream>();
        for (var i = 0; i < places; i++)
        {
            open.Add(await EventStream.OpenAsync(service, "user" + i));
        }

        using var request = OperationsService.Request(HttpMethod.Get, "/resilience/events", "late");
        using var response = await service.SendAsync(request);
        ((int)response.StatusCode).ShouldBe(503);
        response.Headers.RetryAfter.ShouldNotBeNull();
        (await service.AskAsync("/resilience/status")).Status.ShouldBe(200);
        open.ForEach(static stream => stream.Dispose());
    }

    [Theory]
    [OverBothWires]
    public async Task Stream_Open_DoesNotDelayTheShutdown(Wire wire)
    {
        var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var stream = await EventStream.OpenAsync(service, "eve", wire);
        await stream.NextAsync("status");
        var stopped = service.Services.GetRequiredService<IHost>().StopAsync(TestContext.Current.CancellationToken);
        await stopped.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await service.DisposeAsync();
    }

    [Fact]
    public async Task Stream_OfAStranger_TellsNoKeys()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app =>
            {
                OperationsDesk.MapTraffic(app);
                app.MapResilienceDashboard().AllowAnonymous();
            },
            configuration: OperationsDesk.Circuits));
        using var stream = await EventStream.OpenAsync(service);
        using var known = await EventStream.OpenAsync(service, "eve");
        await service.StatusOfAsync("/tenants/secret-tenant?fail");
        await service.StatusOfAsync("/tenants/secret-tenant?fail");
        await known.NextAsync("circuitBreaker", static circuit => circuit.GetProperty("key").GetString() == "secret-tenant" && circuit.GetProperty("state").GetString() == "open");
        JsonElement told;
        do
        {
            told = await stream.NextAsync("circuitBreaker");
            told.GetRawText().ShouldNotContain("secret-tenant");
        }
        while (told.GetProperty("name").GetString() != "tenants" || told.GetProperty("state").GetString() != "open");

        (await service.AskAsync("/resilience/history")).Body.ShouldNotContain("secret-tenant");
        (await service.AskAsync("/resilience/configuration")).Status.ShouldBe(200);
        (await service.AskAsync("/resilience")).Body.ShouldNotContain("secret-tenant");
    }

    [Fact]
    public async Task Stream_OfBulkheadsAndWorkers_TellsThemAsTheyChange()
    {
        var script = new Script();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app =>
            {
                app.MapGet("/held", async () =>
                {
                    await gate.PassAsync();
                    return "held";
                }).WithBulkhead("checkout");
                app.MapResilienceDashboard().RequireAuthorization();
            },
            configuration: """{ "Bulkheads": { "checkout": { "MaxConcurrency": 7 } }, "Workers": { "Default": { "MaxRestarts": 0 } } }""",
            more: builder => builder.Services.AddResilientWorker("orders", script.Make)));
        var run = await script.NextAsync();
        using var stream = await EventStream.OpenAsync(service, "eve");
        await stream.NextAsync("status");
        var held = service.GetAsync("/held");
        await stream.NextAsync("bulkhead", static told => told.GetProperty("name").GetString() == "checkout" && told.GetProperty("inFlight").GetInt32() == 1);
        gate.Open();
        (await held).Dispose();
        await stream.NextAsync("bulkhead", static told => told.GetProperty("name").GetString() == "checkout" && told.GetProperty("inFlight").GetInt32() == 0);
        run.Fail("broken");
        await stream.NextAsync("worker", static told => told.GetProperty("name").GetString() == "orders" && told.GetProperty("state").GetString() == "failed");
    }
}
