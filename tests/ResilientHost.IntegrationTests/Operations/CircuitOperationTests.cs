namespace ResilientHost.IntegrationTests.Operations;

public sealed class CircuitOperationTests
{
    private const string Configuration = """
        { "CircuitBreakers": { "orders": { "BreakDuration": "00:00:10", "BreakJitter": 0 }, "held": { "Mode": "ForcedOpen" }, "watched": { "Mode": "Shadow" },
          "tenants": { "PartitionBy": "Header:X-Tenant", "ConsecutiveFailures": 1 }, "a/b ü <img onerror=x>": { } },
          "TrustedCallers": { "Networks": ["127.0.0.0/8"] } }
        """;

    private static Task<TestService> StartAsync(ManualTimeProvider? time = null) => TestService.StartAsync(OperationsService.Setup(
        app =>
        {
            app.MapGet("/fine", () => "fine").WithCircuitBreaker("orders");
            app.MapGet("/watched", () => "fine").WithCircuitBreaker("watched");
            app.MapGet("/tenant", (bool fail) => fail ? Results.StatusCode(500) : Results.Ok()).WithCircuitBreaker("tenants");
            app.MapResilienceStatus().AllowAnonymous();
            app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
        },
        configuration: Configuration,
        time: time));

    private static async Task<JsonElement> DoAsync(TestService service, string operation, string body, int expected = 200)
    {
        var (status, answer) = await service.PostAsync($"/resilience/circuit-breakers/{operation}", body);
        status.ShouldBe(expected, answer);
        return JsonElement.Parse(answer);
    }

    private static async Task<int> OfTenantAsync(TestService service, string tenant, bool fail = false)
    {
        using var request = OperationsService.Request(HttpMethod.Get, $"/tenant?fail={(fail ? "true" : "false")}", headers: ("X-Tenant", tenant));
        using var response = await service.SendAsync(request);
        return (int)response.StatusCode;
    }

    [Fact]
    public async Task IsolateResetAndForceOpen_MoveTheCircuitAndAnswerIt()
    {
        var time = new ManualTimeProvider();
        await using var service = await StartAsync(time);
        var isolated = await DoAsync(service, "isolate", """{ "name": "orders" }""");
        isolated.GetProperty("state").GetString().ShouldBe("isolated");
        isolated.EnumerateObject().Select(member => member.Name).ShouldBe((await service.BreakerAsync("orders")).EnumerateObject().Select(member => member.Name));
        (await service.StatusOfAsync("/fine")).ShouldBe(503);

        (await DoAsync(service, "reset", """{ "name": "orders" }""")).GetProperty("state").GetString().ShouldBe("closed");
        (await service.StatusOfAsync("/fine")).ShouldBe(200);

        (await DoAsync(service, "force-open", """{ "name": "orders", "duration": "00:05:00" }""")).GetProperty("retryAfterSeconds").GetDouble().ShouldBe(300);
        (await service.StatusOfAsync("/fine")).ShouldBe(503);
        (await DoAsync(service, "force-open", """{ "name": "orders" }""")).GetProperty("retryAfterSeconds").GetDouble().ShouldBe(10);
        time.Advance(TimeSpan.FromSeconds(10));
        (await service.StatusOfAsync("/fine")).ShouldBe(200);
    }

    [Fact]
    public async Task Operation_IsWrittenDownWithWhoAndWhatAndWhere()
    {
        await using var service = await StartAsync();
        var instance = (await service.StatusAsync()).GetProperty("instance").GetString();
        await DoAsync(service, "isolate", """{ "name": "orders" }""");
        var done = await service.Logs.WaitForAsync(entry => entry.EventId.Id == 2900, TestService.Patience);
        done.Message.ShouldBe($"Operation circuit-breakers/isolate on orders by eve at instance {instance}: the circuit is Isolated in mode Enforce.");
        done.Level.ShouldBe(LogLevel.Warning);

        await DoAsync(service, "isolate", """{ "name": "nothing\r\nforged" }""", 404);
        var refused = await service.Logs.WaitForAsync(entry => entry.EventId.Id == 2901, TestService.Patience);
        refused.Message.ShouldContain("nothing\\r\\nforged");
        refused.Message.ShouldContain("eve");
        refused.Message.ShouldNotContain("\n");

        // Repeated at will, told in one line.
        for (var i = 0; i < 20; i++)
        {
            await DoAsync(service, "isolate", """{ "name": "nothing" }""", 404);
        }

        service.Logs.Entries.Count(entry => entry.EventId.Id == 2901).ShouldBe(1);
    }

    [Theory]
    [InlineData("isolate", "", 400)]
    [InlineData("isolate", "[]", 400)]
    [InlineData("isolate", "null", 400)]
    [InlineData("isolate", "{}", 400)]
    [InlineData("isolate", """{ "name": null }""", 400)]
    [InlineData("isolate", """{ "name": "" }""", 400)]
    [InlineData("isolate", """{ "name": 5 }""", 400)]
    [InlineData("isolate", """{ "name": "\ud800" }""", 400)]
    [InlineData("isolate", """{ "name": "orders", "name": "held" }""", 400)]
    [InlineData("isolate", """{ "name": "orders", "nam": "x" }""", 400)]
    [InlineData("isolate", """{ "name": "orders" } trailing""", 400)]
    [InlineData("isolate", """{ "name": "orders", "duration": "00:01:00" }""", 400)]
    [InlineData("reset", """{ "name": "orders", "duration": "00:01:00" }""", 400)]
    [InlineData("force-open", """{ "name": "orders", "duration": "60" }""", 400)]
    [InlineData("force-open", """{ "name": "orders", "duration": "00:00:00" }""", 400)]
    [InlineData("force-open", """{ "name": "orders", "duration": "-00:01:00" }""", 400)]
    [InlineData("force-open", """{ "name": "orders", "duration": "1.00:00:01" }""", 400)]
    [InlineData("force-open", """{ "name": "orders", "duration": "" }""", 400)]
    [InlineData("isolate", """{ "name": "ORDERS" }""", 404)]
    [InlineData("isolate", """{ "name": "nowhere" }""", 404)]
    [InlineData("isolate", """{ "name": "orders", "key": "x" }""", 404)]
    [InlineData("isolate", """{ "name": "tenants", "key": "never-seen" }""", 404)]
    [InlineData("isolate", """{ "name": "tenants", "key": "other" }""", 404)]
    [InlineData("isolate", """{ "name": "orders", "instance": "another:1" }""", 409)]
    [InlineData("reset", """{ "name": "nowhere", "instance": "another:1" }""", 409)]
    [InlineData("force-open", """{ "name": "held" }""", 409)]
    [InlineData("reset", """{ "name": "held" }""", 409)]
    public async Task Operation_BadInput_ChangesNothing(string operation, string body, int expected)
    {
        await using var service = await StartAsync();
        await DoAsync(service, operation, body, expected);
        (await service.StateOfAsync("orders")).ShouldBe("CLOSED");
        (await service.StateOfAsync("tenants")).ShouldBe("CLOSED");
        (await service.StateOfAsync("held")).ShouldBe("OPEN");
        service.Logs.Entries.ShouldNotContain(entry => entry.EventId.Id == 2900);
    }

    [Fact]
    public async Task Operation_TooLargeOrNoJson_IsTurnedAway()
    {
        await using var service = await StartAsync();
        (await service.PostAsync("/resilience/circuit-breakers/isolate", $$"""{ "name": "{{new string('x', 5000)}}" }""")).Status.ShouldBe(413);
        using var request = OperationsService.Request(HttpMethod.Post, "/resilience/circuit-breakers/isolate", "eve");
        request.Content = new StringContent("""{ "name": "orders" }""");
        using var response = await service.SendAsync(request);
        ((int)response.StatusCode).ShouldBe(415);
    }

    [Fact]
    public async Task Operation_NamesOfAnyKind_AreFoundExactly()
    {
        await using var service = await StartAsync();
        (await service.StatusOfAsync("/fine")).ShouldBe(200);
        var answer = await DoAsync(service, "isolate", """{ "name": "a/b ü <img onerror=x>", "instance": null, "key": null }""");
        answer.GetProperty("name").GetString().ShouldBe("a/b ü <img onerror=x>");
        answer.GetRawText().ShouldNotContain("<img");
        (await service.StateOfAsync("orders")).ShouldBe("CLOSED");
    }

    [Fact]
    public async Task Operation_OnAKey_MovesThatCircuitAlone()
    {
        await using var service = await StartAsync();
        (await OfTenantAsync(service, "ann")).ShouldBe(200);
        (await OfTenantAsync(service, "ben")).ShouldBe(200);
        var ann = await DoAsync(service, "isolate", """{ "name": "tenants", "key": "ann" }""");
        (ann.GetProperty("key").GetString(), ann.GetProperty("state").GetString()).ShouldBe(("ann", "isolated"));
        (await OfTenantAsync(service, "ann")).ShouldBe(503);
        (await OfTenantAsync(service, "ben")).ShouldBe(200);

        (await OfTenantAsync(service, "ben", fail: true)).ShouldBe(500);
        (await OfTenantAsync(service, "ben")).ShouldBe(503);
        await DoAsync(service, "reset", """{ "name": "tenants", "key": "ben" }""");
        (await OfTenantAsync(service, "ben")).ShouldBe(200);
        (await OfTenantAsync(service, "ann")).ShouldBe(503);

        await DoAsync(service, "reset", """{ "name": "tenants" }""");
        (await OfTenantAsync(service, "ann")).ShouldBe(200);
        (await DoAsync(service, "isolate", """{ "name": "tenants", "key": "(others)" }""")).GetProperty("key").GetString().ShouldBe("(others)");
    }

    [Fact]
    public async Task Operation_WhereTheModeDoesNotHeedIt_SaysSo()
    {
        await using var service = await StartAsync();

        // Shadow shows the state and refuses nobody.
        var watched = await DoAsync(service, "isolate", """{ "name": "watched" }""");
        (watched.GetProperty("state").GetString(), watched.GetProperty("mode").GetString()).ShouldBe(("isolated", "shadow"));
        (await service.StatusOfAsync("/watched")).ShouldBe(200);

        // An isolation outlives what is forced.
        await DoAsync(service, "isolate", """{ "name": "orders" }""");
        (await DoAsync(service, "force-open", """{ "name": "orders" }""", 409)).GetProperty("detail").GetString().ShouldNotBeNull().ShouldContain("isolated");

        // Isolated, a forced circuit can be reset to what its mode says.
        await DoAsync(service, "isolate", """{ "name": "held" }""");
        (await DoAsync(service, "reset", """{ "name": "held" }""")).GetProperty("state").GetString().ShouldBe("open");
    }
}
