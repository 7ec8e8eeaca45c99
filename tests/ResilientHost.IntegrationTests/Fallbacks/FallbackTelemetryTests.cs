using System.Diagnostics;

namespace ResilientHost.IntegrationTests.Fallbacks;

public sealed class FallbackTelemetryTests : IDisposable
{
    private readonly ActivityRecorder _spans = new("Microsoft.AspNetCore");
    private readonly ActivityRecorder _ours = new(ResilienceDiagnostics.ActivitySourceName);

    public void Dispose()
    {
        _spans.Dispose();
        _ours.Dispose();
    }

    [Theory]
    [InlineData("/throws", "System.InvalidOperationException")]
    [InlineData("/answers", "503")]
    [InlineData("/refused", "circuit_open")]
    public async Task Fallback_Answers_TheFailureStaysOnTheSpan(string path, string error)
    {
        await using var service = await StartAsync();

        var (status, request, fallback) = await AskAsync(service, path);

        status.ShouldBe(200);
        request.Status.ShouldBe(ActivityStatusCode.Error);
        request.GetTagItem("error.type").ShouldBe(error);
        request.Events.Single(@event => @event.Name == ResilienceDiagnostics.SpanEvents.FallbackServed).Tags
            .ShouldContain(new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.FallbackKind, "delegate"));
        fallback.OperationName.ShouldBe(ResilienceDiagnostics.Spans.Fallback);
        fallback.ParentSpanId.ShouldBe(request.SpanId);
        fallback.Status.ShouldBe(ActivityStatusCode.Unset);
        fallback.GetTagItem(ResilienceDiagnostics.Tags.Endpoint).ShouldBe($"GET {path}");
        service.Metrics.Of(ResilienceDiagnostics.Instruments.RequestDuration, (ResilienceDiagnostics.Tags.Endpoint, $"GET {path}"), (ResilienceDiagnostics.Tags.Disposition, "fallback")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Fallback_Fails_ItsSpanSaysWhy()
    {
        await using var service = await StartAsync();

        var (status, request, fallback) = await AskAsync(service, "/fails");

        status.ShouldBe(500);
        request.Events.ShouldContain(@event => @event.Name == ResilienceDiagnostics.SpanEvents.FallbackFailed);
        request.GetTagItem("error.type").ShouldBe("System.InvalidOperationException");
        fallback.Status.ShouldBe(ActivityStatusCode.Error);
        fallback.GetTagItem(ResilienceDiagnostics.Tags.FallbackFailure).ShouldBe("exception");
    }

    [Fact]
    public async Task Timeout_RunsOut_IsAnEventOnTheSpan()
    {
        await using var service = await StartAsync();

        var (status, request, _) = await AskAsync(service, "/slow", hasFallback: false);

        status.ShouldBe(504);
        request.Events.ShouldContain(@event => @event.Name == ResilienceDiagnostics.SpanEvents.TimeoutExpired);
        request.GetTagItem(ResilienceDiagnostics.Tags.RefusalReason).ShouldBe("timeout");
        service.Metrics.Of(ResilienceDiagnostics.Instruments.RequestDuration, (ResilienceDiagnostics.Tags.Disposition, "timed_out")).Count.ShouldBe(1);
    }

    private static async Task<TestService> StartAsync()
    {
        var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/throws", string () => throw new InvalidOperationException()).WithFallback(() => "spare");
                app.MapGet("/answers", () => Results.StatusCode(503)).WithFallback(() => "spare");
                app.MapGet("/refused", () => "real").WithCircuitBreaker("orders").WithFallback(() => "spare");
                app.MapGet("/fails", string () => throw new InvalidOperationException()).WithFallback(string () => throw new FormatException());
                app.MapGet("/slow", (CancellationToken token) => Task.Delay(Timeout.Infinite, token)).WithTimeout(TimeSpan.FromMilliseconds(20));
            },
            """{ "CircuitBreakers": { "orders": {} } }""");
        service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders").Isolate();
        return service;
    }

    private async Task<(int Status, Activity Request, Activity Fallback)> AskAsync(TestService service, string path, bool hasFallback = true)
    {
        var traceId = ActivityTraceId.CreateRandom();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("traceparent", $"00-{traceId.ToHexString()}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
        using var response = await service.SendAsync(request);
        var span = await _spans.WaitForAsync(activity => activity.TraceId == traceId, TestService.Patience);
        var fallback = hasFallback ? await _ours.WaitForAsync(activity => activity.TraceId == traceId, TestService.Patience) : span;
        return ((int)response.StatusCode, span, fallback);
    }
}
