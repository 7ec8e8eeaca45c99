using Microsoft.AspNetCore.Diagnostics;
using Polly.Registry;
using ResilientHost.Telemetry;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.IntegrationTests.Telemetry;

/// <summary>What alerts go by: every way in which a request may end, over a real connection, in the metric and in the event of the request.</summary>
[Collection(nameof(TelemetryCollection))]
public sealed class DispositionTests
{
    private const string Configuration = """
        { "CircuitBreakers": { "isolated": { "Mode": "ForcedOpen" } },
          "HttpClients": { "pricing": { "CircuitBreaker": { "Mode": "ForcedOpen" } } },
          "Calls": { "orders": { "CircuitBreaker": { "Mode": "ForcedOpen" } } },
          "Recovery": { "StatusCodes": { "System.Collections.Generic.KeyNotFoundException": 409 } } }
        """;

    [Theory]
    [InlineData("/fine", 200, "succeeded")]
    [InlineData("/mapped", 409, "succeeded")]
    [InlineData("/too-large", 413, "succeeded")]
    [InlineData("/handled", 404, "succeeded")]
    [InlineData("/own-502", 502, "failed")]
    [InlineData("/throws", 500, "recovered")]
    [InlineData("/isolated", 503, "refused")]
    [InlineData("/client", 503, "refused")]
    [InlineData("/call", 503, "refused")]
    [InlineData("/slow", 504, "timed_out")]
    [InlineData("/saved", 200, "fallback")]
    [InlineData("/client-saved", 200, "fallback")]
    public async Task Request_Answered_CountsAsWhatItsCallerGot(string path, int status, string disposition)
    {
        foreach (var wire in Enum.GetValues<Wire>())
        {
            await using var service = await StartAsync(new Gate());

            (await service.StatusOfAsync(path, wire)).ShouldBe(status);

            await ShouldBeAsync(service, path, disposition, status);
        }
    }

    [Theory, OverBothWires]
    public async Task Request_AnswerCutOffByUs_IsNoDepartureOfItsClient(Wire wire)
    {
        await using var service = await StartAsync(new Gate());

        await Should.ThrowAsync<HttpRequestException>(() => service.Client(wire).GetStringAsync("/breaks"));

        await ShouldBeAsync(service, "/breaks", "recovered", 200);
    }

    [Theory, OverBothWires]
    public async Task Request_ClientLeaves_IsAborted(Wire wire)
    {
        var gate = new Gate();
        await using var service = await StartAsync(gate);
        using var client = new CancellationTokenSource();
        var left = service.Client(wire).GetAsync("/held", client.Token);
        await gate.ArrivalAsync();

        await client.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => left);
        await ShouldBeAsync(service, "/held", "aborted", 499);
    }

    [Theory]
    [InlineData("/outside?refused", 503, "refused")]
    [InlineData("/outside?throws", 500, "recovered")]
    [InlineData("/outside?mapped", 409, "succeeded")]
    public async Task Request_EndedInFrontOfTheLayers_IsToldOfAlike(string path, int status, string disposition)
    {
        await using var service = await StartAsync(new Gate());

        (await service.StatusOfAsync(path)).ShouldBe(status);

        await ShouldBeLoggedAsync(service, disposition, status);
    }

    private static Task<TestService> StartAsync(Gate gate) => TestService.StartAsync(new TestServiceSetup
    {
        Configuration = Configuration,
        Builder = builder =>
        {
            builder.AddResilienceTelemetry(options => options.UseSerilog = false);
            builder.Services.AddHttpClient("pricing", client => client.BaseAddress = new Uri("http://localhost:9")).AddResilienceLayers("pricing");
            builder.Services.AddExceptionHandler<NotFoundHandler>();
        },
        Outside = app => app.Use((context, next) => context.Request.QueryString.Value switch
        {
            "?refused" => throw new OutboundRefusedException(new Refusal(RefusalReason.CircuitOpen, "http:pricing", null)),
            "?throws" => throw new InvalidDataException("no such thing"),
            "?mapped" => throw new KeyNotFoundException(),
            _ => next(context),
        }),
        Endpoints = app =>
        {
            app.MapGet("/fine", static () => "fine");
            app.MapGet("/mapped", static string () => throw new KeyNotFoundException());
            app.MapGet("/too-large", static string () => throw new BadHttpRequestException("too large", 413));
            app.MapGet("/handled", static string () => throw new FileNotFoundException());
            app.MapGet("/own-502", static () => Results.StatusCode(502));
            app.MapGet("/throws", static string () => throw new InvalidDataException("no such thing"));
            app.MapGet("/isolated", static () => "never").WithCircuitBreaker("isolated");
            app.MapGet("/client", static (IHttpClientFactory clients) => clients.CreateClient("pricing").GetStringAsync("/"));
            app.MapGet("/client-saved", static (IHttpClientFactory clients) => clients.CreateClient("pricing").GetStringAsync("/")).WithFallback(static () => "spare");
            app.MapGet("/call", static async (ResiliencePipelineProvider<string> calls) => await calls.GetPipeline("orders").ExecuteAsync(static _ => ValueTask.FromResult("never")));
            app.MapGet("/slow", static (CancellationToken token) => Task.Delay(Timeout.Infinite, token)).WithTimeout(TimeSpan.FromMilliseconds(50));
            app.MapGet("/saved", static string () => throw new InvalidDataException("no such thing")).WithFallback(static () => "spare");
            app.MapGet("/held", (HttpContext context) => gate.PassAsync(context.RequestAborted));
            app.MapGet("/breaks", static async (HttpContext context) =>
            {
                await context.Response.WriteAsync("the first part");
                await context.Response.Body.FlushAsync();
                throw new InvalidDataException("and no second one");
            });
        },
    });

    private static async Task ShouldBeAsync(TestService service, string path, string disposition, int status)
    {
        await TestService.EventuallyAsync(
            () => Task.FromResult(service.Metrics.Of(Instruments.RequestDuration, (Tags.Endpoint, $"GET {path}")).Count == 1), $"the duration of {path}");
        service.Metrics.Of(Instruments.RequestDuration, (Tags.Endpoint, $"GET {path}"))[0].Tags.ShouldContain(new KeyValuePair<string, object?>(Tags.Disposition, disposition));
        await ShouldBeLoggedAsync(service, disposition, status);
    }

    private static async Task ShouldBeLoggedAsync(TestService service, string disposition, int status)
    {
        var told = await service.Logs.WaitForAsync(log => log.EventId.Id == EventIds.Telemetry, TestService.Patience);
        var state = told.State.ToDictionary(static pair => pair.Key, static pair => pair.Value);
        (state["Disposition"], state["StatusCode"]).ShouldBe((disposition, status));
    }

    private sealed class NotFoundHandler : IExceptionHandler
    {
        public ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            if (exception is not FileNotFoundException)
            {
                return ValueTask.FromResult(false);
            }

            httpContext.Response.StatusCode = 404;
            return ValueTask.FromResult(true);
        }
    }
}
