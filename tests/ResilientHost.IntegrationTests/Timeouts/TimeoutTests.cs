using Microsoft.AspNetCore.Http.Timeouts;
using ResilientHost.IntegrationTests.Fallbacks;

namespace ResilientHost.IntegrationTests.Timeouts;

public sealed class TimeoutTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory, OverBothWires]
    public async Task Timeout_EndpointObserves_Is504AndAFailure(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", (CancellationToken token) => gate.PassAsync(token)).WithTimeout(2 * Second),
            time: time);
        var request = service.GetAsync("/", wire);
        await gate.ArrivalAsync();
        time.Advance(2 * Second);

        await (await request).ShouldBeProblemAsync(504, "timeout");
        (await service.BreakerAsync("GET /")).GetProperty("failureRatio").GetDouble().ShouldBe(1);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutExpired).ShouldBe(1);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutOverruns).ShouldBe(0);
        service.ExceptionsOf("endpoint").ShouldBe(0);
        service.ShouldHaveLoggedNoError();
        await service.NothingHeldAsync();
    }

    [Theory, OverBothWires]
    public async Task Timeout_EndpointReturnsWithinTheGraceWithoutAnAnswer_Is504(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async context =>
            {
                await gate.PassAsync();
                context.Response.StatusCode = 204;
                context.Response.Headers["X-Late"] = "yes";
            }).WithTimeout(2 * Second),
            time: time);
        var request = service.GetAsync("/", wire);
        await gate.ArrivalAsync();
        time.Advance(2 * Second);
        gate.Open();

        using var response = await request;
        await response.ShouldBeProblemAsync(504, "timeout");
        response.Headers.Contains("X-Late").ShouldBeFalse();
    }

    [Theory, OverBothWires]
    public async Task Timeout_EndpointThrowsSomethingElse_Is504AndLogged(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async Task (CancellationToken token) =>
            {
                try
                {
                    await gate.PassAsync(token);
                }
                finally
                {
                    ThrowInPlaceOf(token);
                }
            }).WithTimeout(2 * Second),
            time: time);
        var request = service.GetAsync("/", wire);
        await gate.ArrivalAsync();
        time.Advance(2 * Second);

        await (await request).ShouldBeProblemAsync(504, "timeout");
        await service.OneLogAboutAsync("made of the cancellation");
    }

    [Theory, OverBothWires]
    public async Task Timeout_EndpointIgnoresIt_ConnectionIsAbortedAndTheLeaseHeld(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithTimeout(2 * Second).WithBulkhead("small").WithCircuitBreaker("orders"),
            """{ "Bulkheads": { "small": {} }, "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1 } } }""",
            time);
        var request = service.GetAsync("/", wire);
        await gate.ArrivalAsync();
        time.Advance(2 * Second);
        (await service.InFlightAsync("small")).ShouldBe(1);
        time.Advance(Second);

        await Should.ThrowAsync<HttpRequestException>(() => request);
        (await service.InFlightAsync("small")).ShouldBe(1);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutOverruns).ShouldBe(1);

        // The circuit need not wait for a work that may never end.
        (await service.StateOfAsync("orders")).ShouldBe("OPEN");
        gate.Open();
        await service.NothingHeldAsync();
        (await service.BreakerAsync("orders")).GetProperty("calls").GetInt32().ShouldBe(0);
    }

    [Theory, OverBothWires]
    public async Task Timeout_ResponseHasStarted_IsLeftAlone(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async (HttpContext context) =>
            {
                await context.Response.WriteAsync("one ");
                await context.Response.Body.FlushAsync();
                await gate.PassAsync(context.RequestAborted);
                await context.Response.WriteAsync("two");
            }).WithTimeout(2 * Second),
            time: time);
        var request = service.GetAsync("/", wire);
        await gate.ArrivalAsync();
        time.Advance(10 * Second);
        gate.Open();

        (await (await request).Content.ReadAsStringAsync()).ShouldBe("one two");
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutExpired).ShouldBe(0);
    }

    [Theory, OverBothWires]
    public async Task Timeout_Default_IsForEndpointsThatSayNothing(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/default", (CancellationToken token) => gate.PassAsync(token));
                app.MapGet("/none", (CancellationToken token) => gate.PassAsync(token)).WithTimeout(Timeout.InfiniteTimeSpan);
                app.MapGet("/long", [DisableRequestTimeout] (CancellationToken token) => gate.PassAsync(token));
                app.MapGet("/off", (CancellationToken token) => gate.PassAsync(token)).DisableResilience();
                app.MapGet("/own", [Timeout("00:00:05")] (CancellationToken token) => gate.PassAsync(token));
            },
            """{ "Timeouts": { "Default": "00:00:02" } }""",
            time);
        var limited = service.GetAsync("/default", wire);
        await gate.ArrivalAsync();
        var own = service.GetAsync("/own", wire);
        await gate.ArrivalAsync();
        Task<int>[] unlimited = [service.StatusOfAsync("/none", wire), service.StatusOfAsync("/long", wire), service.StatusOfAsync("/off", wire)];
        foreach (var _ in unlimited)
        {
            await gate.ArrivalAsync();
        }

        time.Advance(2 * Second);
        await (await limited).ShouldBeProblemAsync(504, "timeout");
        own.IsCompleted.ShouldBeFalse();
        time.Advance(3 * Second);
        await (await own).ShouldBeProblemAsync(504, "timeout");
        gate.Open();
        (await Task.WhenAll(unlimited)).ShouldBe([200, 200, 200]);
    }

    [Fact]
    public async Task Timeout_Reloads()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => app.MapGet("/", (CancellationToken token) => gate.PassAsync(token)), time: time);
        var before = service.StatusOfAsync("/");
        await gate.ArrivalAsync();
        service.Configuration.Replace("""{ "Timeouts": { "Default": "00:00:02" } }""");
        var after = service.StatusOfAsync("/");
        await gate.ArrivalAsync();
        time.Advance(2 * Second);

        (await after).ShouldBe(504);
        before.IsCompleted.ShouldBeFalse();
        service.Configuration.Replace("""{ "Timeouts": { "Default": "00:00:02", "Enabled": false } }""");
        var off = service.StatusOfAsync("/");
        await gate.ArrivalAsync();
        time.Advance(10 * Second);
        gate.Open();
        (await off).ShouldBe(200);
        (await before).ShouldBe(200);
    }

    [Theory, OverBothWires]
    public async Task Timeout_WithAFallback_TheFallbackAnswers(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async Task<string> (CancellationToken token) =>
            {
                await gate.PassAsync(token);
                return "never";
            }).WithTimeout(2 * Second).WithFallback((FallbackContext context, CancellationToken token) => $"spare: {context.Refusal?.Reason}, cancelled: {token.IsCancellationRequested}"),
            time: time);
        var request = service.GetAsync("/", wire);
        await gate.ArrivalAsync();
        time.Advance(2 * Second);

        using var response = await request;
        (await response.Content.ReadAsStringAsync()).ShouldBe("spare: Timeout, cancelled: False");
        DelegateFallbackTests.ShouldBeMarked(response, "delegate");
        (await service.BreakerAsync("GET /")).GetProperty("failureRatio").GetDouble().ShouldBe(1);
    }

    [Theory, OverBothWires]
    public async Task Timeout_ClientLeavesFirst_IsNoTimeout(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", (CancellationToken token) => gate.PassAsync(token)).WithTimeout(2 * Second), time: time);
        using var leaving = new CancellationTokenSource();
        var request = service.Client(wire).GetAsync("/", leaving.Token);
        await gate.ArrivalAsync();
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => request);
        await service.NothingHeldAsync();

        time.Advance(10 * Second);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutExpired).ShouldBe(0);
        (await service.BreakerAsync("GET /")).GetProperty("calls").GetInt32().ShouldBe(0);
        service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task Timeout_TokenCallbackThrows_TheCallerStillGets504()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async (CancellationToken token) =>
            {
                await using var registration = token.Register(() => throw new InvalidOperationException("callback"));
                await gate.PassAsync(token);
            }).WithTimeout(2 * Second),
            time: time);
        var request = service.GetAsync("/");
        await gate.ArrivalAsync();
        time.Advance(2 * Second);
        await (await request).ShouldBeProblemAsync(504, "timeout");
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("-00:00:01")]
    [InlineData("00:00:00")]
    [InlineData("2.00:00:00")]
    public async Task Timeout_AttributeWithABadDuration_IsAnErrorAtStart(string duration)
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Endpoints = app => app.MapGet("/", () => "ok").WithMetadata(new TimeoutAttribute(duration)),
        });

        error.ShouldContain($"has the timeout '{duration}'");
        error.ShouldContain("HTTP: GET /");
        error.ShouldContain("hh:mm:ss");
    }

    private static void ThrowInPlaceOf(CancellationToken token)
    {
        if (token.IsCancellationRequested)
        {
            throw new InvalidOperationException("made of the cancellation");
        }
    }

    [Fact]
    public async Task FrameworkTimeout_OnTheEndpoint_OursStepsAside()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = """{ "Timeouts": { "Default": "00:00:30" } }""",
            Builder = builder => builder.Services.AddRequestTimeouts(),
            Outside = app => app.UseRouting().UseRequestTimeouts(),
            Endpoints = app =>
            {
                app.MapGet("/", (CancellationToken token) => Task.Delay(Timeout.Infinite, token)).WithRequestTimeout(TimeSpan.FromMilliseconds(50));
                app.MapGet("/own", (CancellationToken token) => Task.Delay(Timeout.Infinite, token))
                    .WithRequestTimeout(new RequestTimeoutPolicy { Timeout = TimeSpan.FromMilliseconds(50), TimeoutStatusCode = 418 });
                app.MapGet("/spare", async Task<string> (CancellationToken token) =>
                {
                    await Task.Delay(Timeout.Infinite, token);
                    return "never";
                }).WithRequestTimeout(TimeSpan.FromMilliseconds(50)).WithFallback((CancellationToken token) => $"spare, cancelled: {token.IsCancellationRequested}");
            },
        });

        using var plain = await service.GetAsync("/");
        ((int)plain.StatusCode).ShouldBe(504);
        (await plain.Content.ReadAsStringAsync()).ShouldBeEmpty();
        (await service.StatusOfAsync("/own")).ShouldBe(418);
        (await (await service.GetAsync("/spare")).Content.ReadAsStringAsync()).ShouldBe("spare, cancelled: False");
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutExpired).ShouldBe(0);
        (await service.BreakerAsync("GET /")).GetProperty("failureRatio").GetDouble().ShouldBe(1);
        await service.NothingHeldAsync();
    }
}
