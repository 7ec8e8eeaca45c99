using System.Diagnostics;
using ResilientHost.IntegrationTests.Fallbacks;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>What can be seen of fallbacks and timeouts from outside, and their switches.</summary>
public sealed class FallbackTelemetryContractTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ActivityRecorder _requests = new("Microsoft.AspNetCore");
    private readonly ActivityRecorder _spans = new(ResilienceDiagnostics.ActivitySourceName);

    public void Dispose()
    {
        _requests.Dispose();
        _spans.Dispose();
    }

    [Theory, OverBothWires]
    public async Task Fallback_IsASpanOfItsOwnUnderTheRequests(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/items/{id}", string (int id) => throw new InvalidOperationException("the original")).WithFallback(() => "spare"));

        var trace = await AskAsync(service, "/items/7", 200, wire);

        var request = await _requests.WaitForAsync(span => span.TraceId == trace, TestService.Patience);
        var fallback = await _spans.WaitForAsync(span => span.TraceId == trace, TestService.Patience);
        fallback.OperationName.ShouldBe(ResilienceDiagnostics.Spans.Fallback);
        fallback.ParentSpanId.ShouldBe(request.SpanId);
        fallback.Status.ShouldNotBe(ActivityStatusCode.Error);
        request.Events.Select(e => e.Name).ShouldContain(ResilienceDiagnostics.SpanEvents.FallbackServed);
        (request.Events.Any(e => e.Tags.Any(tag => tag.Key == ResilienceDiagnostics.Tags.ExceptionType && (string?)tag.Value == "System.InvalidOperationException"))
            || (string?)request.GetTagItem(ResilienceDiagnostics.Tags.ErrorType) == "System.InvalidOperationException").ShouldBeTrue("The original failure stays on the span.");
        service.Metrics.Sum(
            ResilienceDiagnostics.Instruments.FallbackServed,
            (ResilienceDiagnostics.Tags.Endpoint, "GET /items/{id}"),
            (ResilienceDiagnostics.Tags.FallbackKind, "delegate")).ShouldBe(1);
        await DispositionAsync(service, "fallback");
    }

    [Fact]
    public async Task Fallback_ThatFails_IsAnErrorOnItsSpanAndOnTheRequests()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new InvalidOperationException("the original"))
            .WithFallback(string () => throw new NotSupportedException("the fallback's")).WithStaleFallback(TimeSpan.FromMinutes(1)));

        var trace = await AskAsync(service, "/", 500);

        var request = await _requests.WaitForAsync(span => span.TraceId == trace, TestService.Patience);
        var fallback = await _spans.WaitForAsync(span => span.TraceId == trace, TestService.Patience);
        fallback.Status.ShouldBe(ActivityStatusCode.Error);
        request.Events.Select(e => e.Name).ShouldContain(ResilienceDiagnostics.SpanEvents.FallbackFailed);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.FallbackServed).ShouldBe(0);
        service.Metrics.Sum(
            ResilienceDiagnostics.Instruments.FallbackFailures,
            (ResilienceDiagnostics.Tags.FallbackKind, "delegate"),
            (ResilienceDiagnostics.Tags.FallbackFailure, "exception")).ShouldBe(1);
        service.Metrics.Sum(
            ResilienceDiagnostics.Instruments.FallbackFailures,
            (ResilienceDiagnostics.Tags.FallbackKind, "stale"),
            (ResilienceDiagnostics.Tags.FallbackFailure, "miss")).ShouldBe(1);
        await DispositionAsync(service, "recovered");
    }

    [Fact]
    public async Task Timeout_IsAnEventACounterAndADisposition()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => app.MapGet("/", (CancellationToken token) => gate.PassAsync(token)).WithTimeout(2 * Second), time: time);

        var asked = AskAsync(service, "/", 504);
        await gate.ArrivalAsync();
        time.Advance(2 * Second);
        var trace = await asked;

        var request = await _requests.WaitForAsync(span => span.TraceId == trace, TestService.Patience);
        request.Events.Select(e => e.Name).ShouldContain(ResilienceDiagnostics.SpanEvents.TimeoutExpired);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutExpired, (ResilienceDiagnostics.Tags.Endpoint, "GET /")).ShouldBe(1);
        await DispositionAsync(service, "timed_out");
    }

    [Fact]
    public async Task Overrun_IsAnEventACounterAndOneWarningOfTheTimeoutsBlock()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => gate.PassAsync()).WithTimeout(2 * Second), time: time);
        var request = service.GetAsync("/");
        await gate.ArrivalAsync();
        time.Advance(2 * Second);
        time.Advance(Second);
        await Should.ThrowAsync<HttpRequestException>(() => request);
        gate.Open();
        await service.NothingHeldAsync();

        service.Metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutOverruns, (ResilienceDiagnostics.Tags.Endpoint, "GET /")).ShouldBe(1);
        service.Logs.Entries.Where(entry => entry.EventId.Id is >= 1300 and < 1400 && entry.Level == LogLevel.Warning).ShouldHaveSingleItem();
        await _requests.WaitForAsync(span => span.Events.Any(e => e.Name == ResilienceDiagnostics.SpanEvents.TimeoutOverrun), TestService.Patience);
    }

    [Fact]
    public async Task Status_TellsOfEachEndpointsFallbacks()
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapGet("/a", string () => throw new InvalidOperationException()).WithFallback(() => "spare");
            app.MapGet("/b", () => "real").WithStaleFallback(TimeSpan.FromMinutes(1));
            app.MapGet("/c", () => "real");
        });
        (await service.StatusOfAsync("/a")).ShouldBe(200);
        (await service.StatusOfAsync("/a")).ShouldBe(200);

        var fallbacks = (await service.StatusAsync()).GetProperty("fallbacks").EnumerateArray().ToDictionary(item => item.GetProperty("endpoint").GetString()!);
        fallbacks.Keys.ShouldBe(["GET /a", "GET /b"], ignoreOrder: true);
        fallbacks["GET /a"].GetProperty("delegate").GetInt64().ShouldBe(2);
        fallbacks["GET /b"].GetProperty("stale").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task KillSwitch_OfTheSuite_TurnsEverythingIntoAPassThroughAndBack()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        var broken = false;
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/{id}", () => broken ? throw new InvalidOperationException() : "real").WithFallback((string id) => $"spare {id}");
                app.MapGet("/stale/{id}", (string id) => broken ? throw new InvalidOperationException() : $"real {id}").WithStaleFallback(TimeSpan.FromMinutes(1));
                app.MapGet("/held/{id}", (CancellationToken token) => gate.PassAsync(token)).WithTimeout(2 * Second);
            },
            time: time);
        service.Configuration.Replace("""{ "Enabled": false }""");
        (await Answer.OfAsync(service, "/stale/1")).ShouldBe(Answer.Real("real 1"));
        var held = service.StatusOfAsync("/held/1");
        await gate.ArrivalAsync();
        time.Advance(10 * Second);
        broken = true;
        (await Answer.OfAsync(service, "/1")).ShouldHaveFailed(500);
        held.IsCompleted.ShouldBeFalse();

        service.Configuration.Replace("{}");
        (await Answer.OfAsync(service, "/1")).ShouldBe(Answer.Spare("spare 1"));
        (await Answer.OfAsync(service, "/stale/1")).ShouldHaveFailed(500);
        gate.Open();
        (await held).ShouldBe(200);
    }

    [Fact]
    public async Task KillSwitch_InMidFlight_ARequestKeepsThePolicyItTook()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async Task<string> (CancellationToken token) =>
            {
                await gate.PassAsync(token);
                return "never";
            }).WithTimeout(2 * Second).WithBulkhead("one").WithFallback(() => "spare"),
            """{ "Bulkheads": { "one": {} } }""",
            time);
        var asked = Answer.OfAsync(service, "/");
        await gate.ArrivalAsync();
        service.Configuration.Replace("""{ "Bulkheads": { "one": {} }, "Timeouts": { "Enabled": false, "Grace": "00:00:30" } }""");
        time.Advance(2 * Second);

        (await asked).ShouldBe(Answer.Spare());
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task KillSwitch_OfFallbacks_StopsTheStaleToo()
    {
        var broken = false;
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => broken ? throw new InvalidOperationException() : "real").WithStaleFallback(TimeSpan.FromMinutes(1)));
        (await service.StatusOfAsync("/")).ShouldBe(200);
        broken = true;
        service.Configuration.Replace("""{ "Fallbacks": { "Enabled": false } }""");
        (await Answer.OfAsync(service, "/")).ShouldHaveFailed(500);
        service.Configuration.Replace("{}");
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Stale());
    }

    [Fact]
    public async Task Breaker_CountsTheFailureBehindTheFallback_AndOpensAndCloses()
    {
        var time = new ManualTimeProvider();
        var broken = true;
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => broken ? throw new InvalidOperationException() : "real").WithCircuitBreaker("orders").WithFallback((FallbackContext fallback) => $"spare {fallback.Refusal?.Reason}"),
            """{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": 2, "BreakDuration": "00:00:10", "BreakJitter": 0, "HalfOpenProbes": 1 } } }""",
            time);
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Spare("spare "));
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Spare("spare "));
        (await service.StateOfAsync("orders")).ShouldBe("OPEN");
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Spare("spare CircuitOpen"));
        time.Advance(10 * Second);
        broken = false;
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Real());
        (await service.StateOfAsync("orders")).ShouldBe("CLOSED");
        (await DelegateFallbackTests.FallbackAsync(service, "GET /")).GetProperty("delegate").GetInt64().ShouldBe(3);
    }

    private static Task DispositionAsync(TestService service, string disposition) =>
        TestService.EventuallyAsync(
            async () =>
            {
                await service.StatusAsync();
                return service.Metrics.Of(ResilienceDiagnostics.Instruments.RequestDuration, (ResilienceDiagnostics.Tags.Disposition, disposition)).Count == 1;
            },
            $"one request recorded as {disposition}");

    private static async Task<ActivityTraceId> AskAsync(TestService service, string path, int status, Wire wire = Wire.Http1)
    {
        var trace = ActivityTraceId.CreateRandom();
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "traceparent", $"00-{trace.ToHexString()}-{ActivitySpanId.CreateRandom().ToHexString()}-01" } } };
        using var response = await service.SendAsync(request, wire);
        ((int)response.StatusCode).ShouldBe(status);
        return trace;
    }
}
