using System.Text;
using ResilientHost.IntegrationTests.Operations;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary><c>POST circuit-breakers/…</c> and <c>POST level</c> against real traffic. Written from the contract alone.</summary>
public sealed class OperationsCircuitContractTests
{
    private const int Done = 2900;
    private const int Refused = 2901;

    [Theory]
    [OverBothWires]
    public async Task IsolateAndReset_OfANameWithSlashesAndUnicode_DecideWhetherRequestsAreServed(Wire wire)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        var (status, body) = await service.OperateAsync("isolate", new { name = OperationsDesk.Slashed }, wire);
        status.ShouldBe(200, body);
        var answered = JsonElement.Parse(body);
        answered.ShouldBeCircuit();
        answered.GetProperty("name").GetString().ShouldBe(OperationsDesk.Slashed);
        answered.GetProperty("state").GetString().ShouldBe("isolated");
        answered.GetProperty("retryAfterSeconds").ValueKind.ShouldBe(JsonValueKind.Null);
        using (var refused = await service.GetAsync("/slashed", wire))
        {
            await refused.ShouldBeProblemAsync(503, "circuit_open");
        }

        (await service.StatusOfAsync("/plain")).ShouldBe(200);
        (status, body) = await service.OperateAsync("reset", new { name = OperationsDesk.Slashed }, wire);
        status.ShouldBe(200, body);
        JsonElement.Parse(body).GetProperty("state").GetString().ShouldBe("closed");
        (await service.StatusOfAsync("/slashed", wire)).ShouldBe(200);
    }

    [Fact]
    public async Task Isolate_HoldsUntilReset()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(OperationsDesk.Setup(time: time));
        (await service.OperateAsync("isolate", new { name = "plain" })).Status.ShouldBe(200);
        time.Advance(TimeSpan.FromDays(1));
        (await service.StatusOfAsync("/plain")).ShouldBe(503);
        (await service.CircuitAsync("plain")).GetProperty("state").GetString().ShouldBe("isolated");
        (await service.OperateAsync("reset", new { name = "plain" })).Status.ShouldBe(200);
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
    }

    [Theory]
    [InlineData(null, 10)]
    [InlineData("00:00:30", 30)]
    [InlineData("1.00:00:00", 86_400)]
    public async Task ForceOpen_HoldsForItsDuration_ThenProbes(string? duration, int seconds)
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(OperationsDesk.Setup(time: time));
        var (status, body) = await service.OperateAsync("force-open", new { name = "plain", duration });
        status.ShouldBe(200, body);
        JsonElement.Parse(body).GetProperty("state").GetString().ShouldBe("open");
        JsonElement.Parse(body).GetProperty("retryAfterSeconds").GetDouble().ShouldBe(seconds);
        time.Advance(TimeSpan.FromSeconds(seconds - 1));
        using (var refused = await service.GetAsync("/plain"))
        {
            (await refused.ShouldBeRefusalAsync(503, "circuit_open")).ShouldBe(1);
        }

        time.Advance(TimeSpan.FromSeconds(1));
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
        (await service.CircuitAsync("plain")).GetProperty("state").GetString().ShouldBe("closed");
    }

    [Fact]
    public async Task Reset_OfACircuitThatTrippedByItself_ServesAgain()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        await service.StatusOfAsync("/plain?fail");
        await service.StatusOfAsync("/plain?fail");
        (await service.StatusOfAsync("/plain")).ShouldBe(503);
        (await service.OperateAsync("reset", new { name = "plain" })).Status.ShouldBe(200);
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
    }

    [Fact]
    public async Task ForceOpen_WhileIsolated_ChangesNothing()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        (await service.OperateAsync("isolate", new { name = "plain" })).Status.ShouldBe(200);
        (await service.OperateAsync("force-open", new { name = "plain" })).Status.ShouldBe(409);
        (await service.CircuitAsync("plain")).GetProperty("state").GetString().ShouldBe("isolated");
    }

    [Fact]
    public async Task Isolate_OfACircuitThatNeverRefuses_LeavesTrafficAlone()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        await service.OperateAsync("isolate", new { name = "shadow" });
        (await service.StatusOfAsync("/shadow")).ShouldBe(200);
        var (_, body) = await service.OperateAsync("isolate", new { name = "off" });
        (await service.StatusOfAsync("/off")).ShouldBe(200);
        body.ShouldContain("disabled", Case.Insensitive, "whoever operates is told why nothing is refused");
    }

    [Fact]
    public async Task Isolate_OfAnAutomaticCircuit_IsFoundByTheNameOfStatus()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            static app =>
            {
                app.MapGet("/products/{id:int}/{*rest}", static () => "x");
                app.MapResilienceDashboard().RequireAuthorization();
                app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
            },
            configuration: """{ "CircuitBreakers": { "Default": { "Mode": "Enforce" } } }"""));
        (await service.StatusOfAsync("/products/1/a")).ShouldBe(200);
        var name = JsonElement.Parse((await service.AskAsync("/resilience/status", "eve")).Body).GetProperty("circuitBreakers").EnumerateArray()
            .Select(static circuit => circuit.GetProperty("name").GetString()!).Single(static name => name.StartsWith("GET /products/", StringComparison.Ordinal));
        (await service.OperateAsync("isolate", new { name })).Status.ShouldBe(200);
        (await service.StatusOfAsync("/products/2/b")).ShouldBe(503);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("")]
    [InlineData(" plain")]
    [InlineData("plain\0")]
    [InlineData("../plain")]
    [InlineData("orders/v1")]
    [InlineData("plain\r\nX-Evil: 1")]
    public async Task Operation_OnAWrongName_IsNotFoundOrBad_AndListsNoNames(string name)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        foreach (var operation in new[] { "isolate", "reset", "force-open" })
        {
            var (status, body) = await service.OperateAsync(operation, new { name });
            status.ShouldBeOneOf(name.Length == 0 ? [400, 404] : [404]);
            body.ShouldNotContain("tenants");
        }

        service.ShouldHaveLoggedNoError();
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
    }

    [Fact]
    public async Task Operation_OnAKey_IsOfThatKeyAlone_AndWithoutAKeyOfAll()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        foreach (var tenant in new[] { "a", "b" })
        {
            (await service.StatusOfAsync("/tenants/" + tenant)).ShouldBe(200);
        }

        var (status, body) = await service.OperateAsync("isolate", new { name = "tenants", key = "a" });
        status.ShouldBe(200, body);
        var circuit = JsonElement.Parse(body);
        (circuit.GetProperty("name").GetString(), circuit.GetProperty("key").GetString(), circuit.GetProperty("state").GetString()).ShouldBe(("tenants", "a", "isolated"));
        (await service.StatusOfAsync("/tenants/a")).ShouldBe(503);
        (await service.StatusOfAsync("/tenants/b")).ShouldBe(200);
        (await service.CircuitAsync("tenants", "a")).GetProperty("state").GetString().ShouldBe("isolated");

        (await service.OperateAsync("isolate", new { name = "tenants", key = "nobody" })).Status.ShouldBe(404);
        (await service.OperateAsync("isolate", new { name = "plain", key = "a" })).Status.ShouldBe(404);
        (await service.OperateAsync("reset", new { name = "tenants", key = "a" })).Status.ShouldBe(200);
        (await service.StatusOfAsync("/tenants/a")).ShouldBe(200);

        (await service.OperateAsync("isolate", new { name = "tenants", key = (string?)null })).Status.ShouldBe(200);
        (await service.StatusOfAsync("/tenants/a")).ShouldBe(503);
        (await service.StatusOfAsync("/tenants/b")).ShouldBe(503);
        (await service.StatusOfAsync("/tenants/newcomer")).ShouldBe(503);
        (await service.OperateAsync("reset", new { name = "tenants" })).Status.ShouldBe(200);
        (await service.StatusOfAsync("/tenants/newcomer")).ShouldBe(200);
    }

    [Fact]
    public async Task Operation_ForAnotherInstance_Is409_AndForThisOneIsDone()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        var instance = JsonElement.Parse((await service.AskAsync("/resilience/status")).Body).GetProperty("instance").GetString();
        foreach (var wrong in new[] { "another", "", instance + " ", instance + "x" })
        {
            (await service.OperateAsync("isolate", new { name = "plain", instance = wrong })).Status.ShouldBe(409, wrong);
            (await service.PostAsync("/resilience/level", JsonSerializer.Serialize(new { level = "survival", instance = wrong }))).Status.ShouldBe(409, wrong);
        }

        (await service.StatusOfAsync("/plain")).ShouldBe(200);
        (await service.OperateAsync("isolate", new { name = "plain", instance })).Status.ShouldBe(200);
        (await service.OperateAsync("reset", new { name = "plain", instance = (string?)null })).Status.ShouldBe(200);
        (await service.OperateAsync("isolate", new { name = "nobody", instance = "another" })).Status.ShouldBe(409, "whether a name exists is for the instance that is meant to say");
    }

    public static TheoryData<string> BadBodies => new(
        "", " ", "null", "[]", "{}", "\"plain\"", "42", "{", "{\"name\":", """{"name":"plain"} {}""", """{"name":"plain"}x""", """{"name":null}""", """{"name":1}""", """{"name":["plain"]}""",
        """{"name":"plain","name":"plain"}""", """{"name":"other","name":"plain"}""", """{"name":"plain","Name":"other"}""", """{"name":"plain","unknown":1}""", """{"name":"plain",}""", """{"name":"plain"/**/}""",
        """{"name":"plain","key":1}""", """{"name":"plain","instance":1}""", """{"name":"plain","instance":{}}""", """{"name":"\ud800"}""", """{'name':'plain'}""", "name=plain", new string('[', 4000), """{"name":"plain","key":{"a":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}}""");

    [Theory]
    [MemberData(nameof(BadBodies))]
    public async Task Operation_WithABadBody_Is400AndChangesNothing(string body)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        foreach (var operation in new[] { "isolate", "force-open", "reset" })
        {
            var (status, answer) = await service.PostBytesAsync("/resilience/circuit-breakers/" + operation, Encoding.UTF8.GetBytes(body));
            status.ShouldBe(400, operation + answer);
            answer.ShouldNotContain("Exception");
        }

        (await service.StatusOfAsync("/plain")).ShouldBe(200);
        (await service.StatusOfAsync("/other")).ShouldBe(200);
        service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [InlineData("\"00:00:00\"")]
    [InlineData("\"-00:00:01\"")]
    [InlineData("\"1.00:00:00.0000001\"")]
    [InlineData("\"10675199.02:48:05.4775807\"")]
    [InlineData("\"99999999999999999999\"")]
    [InlineData("\"soon\"")]
    [InlineData("\"\"")]
    [InlineData("30")]
    [InlineData("true")]
    public async Task ForceOpen_WithABadDuration_Is400(string duration)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        (await service.PostAsync("/resilience/circuit-breakers/force-open", $$"""{ "name": "plain", "duration": {{duration}} }""")).Status.ShouldBe(400);
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
    }

    [Theory]
    [InlineData("isolate")]
    [InlineData("reset")]
    public async Task Duration_WhereNoneBelongs_Is400(string operation)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        (await service.PostAsync("/resilience/circuit-breakers/" + operation, """{ "name": "plain", "duration": "00:00:01" }""")).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Operation_WithInvalidUtf8_Is400()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        (await service.PostBytesAsync("/resilience/circuit-breakers/isolate", [.. "{\"name\":\""u8, 0xC3, 0x28, .. "\"}"u8])).Status.ShouldBe(400);
        service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("text/json-but-not")]
    [InlineData("application/jsonx")]
    [InlineData("garbage")]
    public async Task Operation_WithAnotherContentType_Is415AndChangesNothing(string? contentType)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        foreach (var wire in Enum.GetValues<Wire>())
        {
            (await service.PostBytesAsync("/resilience/circuit-breakers/isolate", """{"name":"plain"}"""u8.ToArray(), contentType, wire: wire)).Status.ShouldBe(415);
            (await service.PostBytesAsync("/resilience/level", """{"level":"survival"}"""u8.ToArray(), contentType, wire: wire)).Status.ShouldBe(415);
        }

        (await service.StatusOfAsync("/plain")).ShouldBe(200);
        service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("APPLICATION/JSON")]
    public async Task Operation_WithAnyWritingOfJson_IsTaken(string contentType)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        (await service.PostBytesAsync("/resilience/circuit-breakers/isolate", """{"name":"plain"}"""u8.ToArray(), contentType)).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http1, true)]
    [InlineData(Wire.Http2, false)]
    [InlineData(Wire.Http2, true)]
    public async Task Operation_WithAnOversizedBody_IsRefusedAndChangesNothing(Wire wire, bool chunked)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        foreach (var body in new[] { "{\"name\":\"plain\"}" + new string(' ', 5000), "{\"name\":\"" + new string('x', 5000) + "\"}", new string(' ', 100_000) + "{\"name\":\"plain\"}" })
        {
            var (status, _) = await service.PostBytesAsync("/resilience/circuit-breakers/isolate", Encoding.UTF8.GetBytes(body), wire: wire, chunked: chunked);
            status.ShouldBeOneOf(400, 413);
        }

        (await service.StatusOfAsync("/plain")).ShouldBe(200);
        (await service.PostBytesAsync("/resilience/circuit-breakers/isolate", """{"name":"plain"}"""u8.ToArray(), wire: wire, chunked: chunked)).Status.ShouldBe(200);
        service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [InlineData("eve", 200)]
    [InlineData("guest", 403)]
    [InlineData(null, 401)]
    public async Task Operation_ByUser(string? user, int expected)
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        foreach (var wire in Enum.GetValues<Wire>())
        {
            foreach (var operation in new[] { "isolate", "force-open", "reset" })
            {
                (await service.OperateAsync(operation, new { name = operation == "force-open" ? "other" : "plain" }, wire, user)).Status.ShouldBe(expected);
            }
        }

        (await service.StatusOfAsync("/other")).ShouldBe(expected == 200 ? 503 : 200);
    }

    [Fact]
    public async Task Operation_OtherMethodsAndPaths_ChangeNothing()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        foreach (var method in new[] { "GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS" })
        {
            (await service.AskAsync("/resilience/circuit-breakers/isolate?name=plain", "eve", new HttpMethod(method))).Status.ShouldBe(405, method);
        }

        using var smuggled = OperationsService.Request(HttpMethod.Get, "/resilience/circuit-breakers/isolate", "eve", null, ("X-HTTP-Method-Override", "POST"));
        (await service.StatusAsync(smuggled)).ShouldBe(405);
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
    }

    [Fact]
    public async Task Done_IsOneAuditEvent_OfWhoWhatWhichInstanceAndOutcome()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        var instance = JsonElement.Parse((await service.AskAsync("/resilience/status")).Body).GetProperty("instance").GetString()!;
        await service.StatusOfAsync("/tenants/a");
        (await service.OperateAsync("isolate", new { name = "tenants", key = "a" })).Status.ShouldBe(200);
        var done = await service.Logs.WaitForAsync(static entry => entry.EventId.Id == Done, TestService.Patience);
        done.Level.ShouldBe(LogLevel.Warning);
        foreach (var part in new[] { "eve", "tenants", "a", instance })
        {
            done.Message.ShouldContain(part);
        }

        done.Message.ShouldContain("isolate", Case.Insensitive);
        service.Logs.Clear();
        (await service.PostAsync("/resilience/level", """{ "level": "reduced", "expiresIn": "00:05:00" }""")).Status.ShouldBe(200);
        var level = await service.Logs.WaitForAsync(static entry => entry.EventId.Id == Done, TestService.Patience);
        level.Message.ShouldContain("eve");
        level.Message.ShouldContain("reduced", Case.Insensitive);
        level.Message.ShouldContain(instance);
        service.Logs.Entries.Count(static entry => entry.EventId.Id == Done).ShouldBe(1);
    }

    [Fact]
    public async Task Refused_IsAnAuditEvent_ThatNoNameForges()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        (await service.OperateAsync("isolate", new { name = "nobody\r\nevil: operation done\u2028x\u001b[31m" })).Status.ShouldBe(404);
        var refused = await service.Logs.WaitForAsync(static entry => entry.EventId.Id == Refused, TestService.Patience);
        refused.Message.ShouldContain("eve");
        refused.Message.ShouldNotContain("\n");
        refused.Message.ShouldNotContain("\r");
        refused.Message.ShouldNotContain("\u001b");
        refused.Message.ShouldNotContain("\u2028");
        service.Logs.Entries.ShouldNotContain(static entry => entry.EventId.Id == Done);
    }

    [Fact]
    public async Task Audit_OfLongNames_IsBounded()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        var (status, _) = await service.OperateAsync("isolate", new { name = new string('n', 3900) }, user: "eve" + new string('u', 5000));
        status.ShouldBe(404);
        (await service.Logs.WaitForAsync(static entry => entry.EventId.Id == Refused, TestService.Patience)).Message.Length.ShouldBeLessThan(2000);
        (await service.OperateAsync("isolate", new { name = "plain" }, user: "eve" + new string('u', 5000))).Status.ShouldBe(200);
        (await service.Logs.WaitForAsync(static entry => entry.EventId.Id == Done, TestService.Patience)).Message.Length.ShouldBeLessThan(2000);
    }

    [Fact]
    public async Task Operation_WithAByteOrderMark_IsNoError()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        (await service.PostBytesAsync("/resilience/circuit-breakers/isolate", [0xEF, 0xBB, 0xBF, .. """{"name":"plain"}"""u8])).Status.ShouldBeOneOf(200, 400);
        (await service.PostBytesAsync("/resilience/circuit-breakers/isolate", [], contentType: null)).Status.ShouldBe(415);
        (await service.OperateAsync("isolate", new { name = "tenants", key = "" })).Status.ShouldBe(404);
        service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task Refused_AgainAndAgain_IsAFewLines()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        await Parallel.ForEachAsync(Enumerable.Range(0, 500), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) => (await service.OperateAsync("isolate", new { name = "nobody" + i })).Status.ShouldBe(404));
        service.Logs.Entries.Count(static entry => entry.EventId.Id == Refused).ShouldBeLessThan(100);
    }

    [Fact]
    public async Task Done_BySomebodyUnknown_TellsTheAddress()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            static app =>
            {
                OperationsDesk.MapTraffic(app);
                app.MapResilienceDashboard();
            },
            "Development",
            OperationsDesk.Circuits));
        (await service.OperateAsync("isolate", new { name = "plain" }, user: null, headers: (OperationsService.RemoteHeader, "127.0.0.77"))).Status.ShouldBe(200);
        (await service.Logs.WaitForAsync(static entry => entry.EventId.Id == Done, TestService.Patience)).Message.ShouldContain("127.0.0.77");
    }

    [Fact]
    public async Task Operation_ByManyAtOnce_LeavesOneState()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
            (await service.OperateAsync((i % 3) switch { 0 => "isolate", 1 => "reset", _ => "force-open" }, new { name = "plain" })).Status.ShouldBeOneOf(200, 409));
        (await service.OperateAsync("reset", new { name = "plain" })).Status.ShouldBe(200);
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
    }

    [Fact]
    public async Task Operation_WhileSurvivalShedsAll_IsStillPossible()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        (await service.PostAsync("/resilience/level", """{ "level": "survival" }""")).Status.ShouldBe(200);
        var answers = new int[5];
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = await service.StatusOfAsync("/plain");
        }

        // One in a hundred passes at every level.
        answers.Count(static status => status == 503).ShouldBeGreaterThanOrEqualTo(3);
        (await service.AskAsync("/resilience/status")).Status.ShouldBe(200);
        (await service.AskAsync("/resilience", "eve")).Status.ShouldBe(200);
        (await service.OperateAsync("isolate", new { name = "plain" })).Status.ShouldBe(200);
        (await service.PostAsync("/resilience/level", """{ "level": null }""")).Status.ShouldBe(200);
        (await service.StatusOfAsync("/other")).ShouldBe(200);
    }
}
