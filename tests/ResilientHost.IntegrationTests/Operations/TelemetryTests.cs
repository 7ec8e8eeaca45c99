using System.Diagnostics;

namespace ResilientHost.IntegrationTests.Operations;

public sealed class TelemetryTests : IDisposable
{
    private const string Configuration = """
        { "CircuitBreakers": { "orders": { "ConsecutiveFailures": 2, "BreakDuration": "00:00:10", "BreakJitter": 0, "HalfOpenProbes": 1 } },
          "Bulkheads": { "one": { "MaxConcurrency": 1, "QueueLength": 1, "QueueTimeout": "00:01:00" } } }
        """;

    private readonly ActivityRecorder _spans = new("Microsoft.AspNetCore");

    public void Dispose() => _spans.Dispose();

    private static Action<WebApplication> Map(Gate gate) => app =>
    {
        app.MapGet("/throw", string () => throw new InvalidOperationException("telemetry")).WithCircuitBreaker("orders");
        app.MapGet("/fine/{id}", (string id) => id).WithCircuitBreaker("orders");
        app.MapGet("/own500", () => Results.StatusCode(500));
        app.MapGet("/held", (HttpContext context) => gate.PassAsync(context.RequestAborted)).WithBulkhead("one");
    };

    private static Task RecordedAsync(TestService service, string disposition, string endpoint) =>
        TestService.EventuallyAsync(
            async () =>
            {
                await service.StatusAsync();
                return service.Metrics.Of(
                    ResilienceDiagnostics.Instruments.RequestDuration,
                    (ResilienceDiagnostics.Tags.Disposition, disposition),
                    (ResilienceDiagnostics.Tags.Endpoint, endpoint)).Count == 1;
            },
            $"one request of {endpoint} recorded as {disposition}");

    [Theory, OverBothWires]
    public async Task RequestDuration_CarriesDispositionAndEndpoint(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Map(gate), Configuration);
        await service.StatusOfAsync("/fine/7", wire);
        await RecordedAsync(service, "succeeded", "GET /fine/{id}");
        await service.StatusOfAsync("/own500", wire);
        await RecordedAsync(service, "failed", "GET /own500");
        await service.StatusOfAsync("/throw", wire);
        await RecordedAsync(service, "recovered", "GET /throw");
        await service.StatusOfAsync("/throw", wire);
        await service.StatusOfAsync("/fine/7", wire);
        await RecordedAsync(service, "refused", "GET /fine/{id}");

        using var client = new CancellationTokenSource();
        var aborted = service.Client(wire).GetAsync("/held", client.Token);
        await gate.ArrivalAsync();
        await client.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => aborted);
        await RecordedAsync(service, "aborted", "GET /held");
        service.Metrics.Of(ResilienceDiagnostics.Instruments.RequestDuration).ShouldAllBe(measurement => measurement.Unit == "s" && measurement.Value >= 0 && measurement.Value < 20);
    }

    [Fact]
    public async Task RequestDuration_RefusedOrLeftWhileQueueing_IsTheRequestsOwn()
    {
        var gate = new Gate();
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(Map(gate), Configuration, time);
        time.Advance(TimeSpan.FromHours(1));
        var holder = service.StatusOfAsync("/held");
        await gate.ArrivalAsync();
        using var client = new CancellationTokenSource();
        var leaving = service.Client().GetAsync("/held", client.Token);
        await service.QueuedAsync("one", 1);
        await client.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => leaving);
        await service.QueuedAsync("one", 0);
        await RecordedAsync(service, "aborted", "GET /held");

        var timingOut = service.StatusOfAsync("/held");
        await service.QueuedAsync("one", 1);
        time.Advance(TimeSpan.FromMinutes(1));
        (await timingOut).ShouldBe(503);
        await RecordedAsync(service, "refused", "GET /held");
        gate.Open();
        (await holder).ShouldBe(200);
        service.Metrics.Of(ResilienceDiagnostics.Instruments.RequestDuration).ShouldAllBe(measurement => measurement.Value <= 60);
        service.Metrics.Of(ResilienceDiagnostics.Instruments.RequestDuration, (ResilienceDiagnostics.Tags.Disposition, "refused")).ShouldHaveSingleItem().Value.ShouldBe(60);
    }

    [Fact]
    public async Task CircuitBreaker_CountsTransitionsAndRefusals_AndShowsItsState()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(Map(new Gate()), Configuration, time);
        await service.StatusOfAsync("/throw");
        await service.StatusOfAsync("/throw");
        await service.StatusOfAsync("/fine/1");
        await service.StatusOfAsync("/fine/1");
        ShouldBeInState("open");
        time.Advance(TimeSpan.FromSeconds(10));
        await service.StatusOfAsync("/fine/1");

        var name = (ResilienceDiagnostics.Tags.CircuitBreakerName, (object?)"orders");
        await TestService.EventuallyAsync(
            async () =>
            {
                await service.StatusAsync();
                return service.ValueOf(ResilienceDiagnostics.Instruments.CircuitBreakerTransitions, name) == 3;
            },
            "three transitions counted");
        foreach (var (from, to) in (IEnumerable<(string, string)>)[("closed", "open"), ("open", "half_open"), ("half_open", "closed")])
        {
            service.ValueOf(ResilienceDiagnostics.Instruments.CircuitBreakerTransitions, name, (ResilienceDiagnostics.Tags.CircuitFrom, from), (ResilienceDiagnostics.Tags.CircuitTo, to)).ShouldBe(1);
        }

        service.ValueOf(ResilienceDiagnostics.Instruments.CircuitBreakerRefusals, name).ShouldBe(2);
        ShouldBeInState("closed");

        void ShouldBeInState(string expected)
        {
            service.Metrics.RecordObservableInstruments();
            foreach (var state in (string[])["closed", "open", "half_open", "isolated"])
            {
                service.Metrics.Last(ResilienceDiagnostics.Instruments.CircuitBreakerState, (ResilienceDiagnostics.Tags.CircuitBreakerName, "orders"), (ResilienceDiagnostics.Tags.CircuitState, state))
                    .ShouldBe(state == expected ? 1 : 0, state);
            }
        }
    }

    [Fact]
    public async Task Bulkhead_CountsRefusalsAndShowsWhatItHolds()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Map(gate), Configuration);
        var holder = service.StatusOfAsync("/held");
        await gate.ArrivalAsync();
        var waiting = service.StatusOfAsync("/held");
        await service.QueuedAsync("one", 1);
        (await service.StatusOfAsync("/held")).ShouldBe(503);
        Value(ResilienceDiagnostics.Instruments.BulkheadInFlight).ShouldBe(1);
        Value(ResilienceDiagnostics.Instruments.BulkheadQueued).ShouldBe(1);
        Value(ResilienceDiagnostics.Instruments.BulkheadLimit).ShouldBe(1);
        service.ValueOf(
            ResilienceDiagnostics.Instruments.BulkheadRefusals,
            (ResilienceDiagnostics.Tags.BulkheadName, "one"),
            (ResilienceDiagnostics.Tags.RefusalReason, "bulkhead_full")).ShouldBe(1);

        gate.Open();
        (await holder).ShouldBe(200);
        (await waiting).ShouldBe(200);
        await service.NothingHeldAsync();
        Value(ResilienceDiagnostics.Instruments.BulkheadInFlight).ShouldBe(0);
        Value(ResilienceDiagnostics.Instruments.BulkheadQueued).ShouldBe(0);
        service.Metrics.Of(ResilienceDiagnostics.Instruments.BulkheadQueueDuration, (ResilienceDiagnostics.Tags.BulkheadName, "one")).ShouldNotBeEmpty();

        double Value(string instrument) => service.ValueOf(instrument, (ResilienceDiagnostics.Tags.BulkheadName, "one"));
    }

    [Fact]
    public async Task Exceptions_AreCountedByTypeAndOrigin()
    {
        await using var service = await TestService.StartAsync(Map(new Gate()), Configuration);
        await service.StatusOfAsync("/own500");
        await service.StatusOfAsync("/throw");
        service.Metrics.Of(ResilienceDiagnostics.Instruments.RecoveryExceptions, (ResilienceDiagnostics.Tags.ExceptionOrigin, "endpoint"))
            .ShouldHaveSingleItem()
            .HasTags((ResilienceDiagnostics.Tags.ExceptionType, "System.InvalidOperationException"))
            .ShouldBeTrue();
    }

    [Fact]
    public async Task Span_CarriesTheLayersEvents()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Map(gate), Configuration);
        (await EventsOfAsync(service, "/throw")).ShouldNotContain(ResilienceDiagnostics.SpanEvents.CircuitBreakerOpened);
        (await EventsOfAsync(service, "/throw")).ShouldContain(ResilienceDiagnostics.SpanEvents.CircuitBreakerOpened);
        (await EventsOfAsync(service, "/fine/1")).ShouldContain(ResilienceDiagnostics.SpanEvents.CircuitBreakerRefused);

        var holder = service.StatusOfAsync("/held");
        await gate.ArrivalAsync();
        var waiting = service.StatusOfAsync("/held");
        await service.QueuedAsync("one", 1);
        (await EventsOfAsync(service, "/held")).ShouldContain(ResilienceDiagnostics.SpanEvents.BulkheadRefused);
        gate.Open();
        (await holder).ShouldBe(200);
        (await waiting).ShouldBe(200);
    }

    private async Task<IReadOnlyList<string>> EventsOfAsync(TestService service, string path)
    {
        var traceId = ActivityTraceId.CreateRandom();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("traceparent", $"00-{traceId.ToHexString()}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
        using var response = await service.SendAsync(request);
        var span = await _spans.WaitForAsync(activity => activity.TraceId == traceId, TestService.Patience);
        return [.. span.Events.Select(@event => @event.Name)];
    }
}
