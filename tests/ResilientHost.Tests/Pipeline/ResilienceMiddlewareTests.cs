using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Pipeline;

/// <summary>What the one middleware holds and gives back, on every way a request can end.</summary>
public sealed class ResilienceMiddlewareTests : IAsyncDisposable
{
    private readonly WebApplication _app;
    private Action _outside = static () => { };

    public ResilienceMiddlewareTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Resilience:CircuitBreakers:db:MinimumThroughput"] = "100",
            ["Resilience:Bulkheads:db:MaxConcurrency"] = "1",
        });
        builder.AddResilienceLayers();
        _app = builder.Build();
        _app.Use((context, next) =>
        {
            _outside();
            return next(context);
        });
        _app.UseResilienceLayers();
    }

    [Fact]
    public async Task Invoke_ThrowBeforeTheFirstAwait_GivesEverythingBack()
    {
        Map(static _ => throw new InvalidOperationException());

        (await CallAsync()).ShouldBe(500);

        ShouldHoldNothing(failures: 1);
    }

    [Fact]
    public async Task Invoke_ThrowAfterAnAwait_GivesEverythingBack()
    {
        Map(static async _ =>
        {
            await Task.Yield();
            throw new InvalidOperationException();
        });

        (await CallAsync()).ShouldBe(500);

        ShouldHoldNothing(failures: 1);
    }

    [Fact]
    public async Task Invoke_RecoverySwitchedOffMeanwhile_RequestKeepsWhatItBeganWith()
    {
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource switched = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Map(async _ =>
        {
            entered.SetResult();
            await switched.Task;
            throw new InvalidOperationException();
        });

        var call = CallAsync();
        await entered.Task;
        _app.Configuration["Resilience:Recovery:Enabled"] = "false";
        ((IConfigurationRoot)_app.Configuration).Reload();
        switched.SetResult();

        (await call).ShouldBe(500);
        ShouldHoldNothing(failures: 1);
    }

    [Fact]
    public async Task Invoke_MiddlewareInsideReturnsNoTask_GivesEverythingBack()
    {
        _app.Use(static (HttpContext _, RequestDelegate _) => NoTask());
        Map(static _ => Task.CompletedTask);

        (await CallAsync()).ShouldBe(500);

        ShouldHoldNothing(failures: 1);
    }

    [Fact]
    public async Task Invoke_TaskCancelledWithoutTheCallersDoing_IsAFailure()
    {
        Map(static _ => Task.FromCanceled(new CancellationToken(canceled: true)));

        (await CallAsync()).ShouldBe(500);

        ShouldHoldNothing(failures: 1);
    }

    [Fact]
    public async Task Invoke_CutAnswerOfAnotherRequest_IsAFailureOfThisOne()
    {
        // As the output cache does it, which lets requests wait for one that makes their answer, and fail with it.
        _outside = static () => throw new CutResponseException();
        Map(static _ => Task.CompletedTask);

        (await CallAsync()).ShouldBe(500);
    }

    [Fact]
    public async Task Invoke_FailingListenerOfMetrics_CostsNobodyTheAnswer()
    {
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == ResilienceDiagnostics.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => throw new InvalidOperationException());
        listener.SetMeasurementEventCallback<long>(static (_, _, _, _) => throw new InvalidOperationException());
        listener.Start();
        Map(static context => context.Response.WriteAsync("fine"));

        (await CallAsync()).ShouldBe(200);

        ShouldHoldNothing(failures: 0);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static Task NoTask() => Unsafe.As<Task>(null)!;

    private void Map(RequestDelegate endpoint) => _app.MapGet("/", endpoint).WithBulkhead("db").WithCircuitBreaker("db");

    private async Task<int> CallAsync()
    {
        await _app.StartAsync(TestContext.Current.CancellationToken);
        using var response = await _app.GetTestClient().GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    private void ShouldHoldNothing(int failures)
    {
        _app.Services.GetRequiredService<BulkheadRegistry>().Get("db").Snapshot().InFlight.ShouldBe(0);
        var circuit = _app.Services.GetRequiredService<CircuitBreakerRegistry>().Get("db").Snapshot();
        (circuit.Calls, circuit.Failures).ShouldBe((1, failures));
    }
}
