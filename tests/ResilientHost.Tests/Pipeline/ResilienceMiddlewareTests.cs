using System.Collections;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
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
    private bool _isStarted;
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Invoke_ListenerComesMeanwhile_IsToldOfLaterRequestsOnly(bool timesCalls)
    {
        if (timesCalls)
        {
            _app.Configuration["Resilience:CircuitBreakers:db:SlowCallDuration"] = "01:00:00";
        }

        var meters = _app.Services.GetRequiredService<IMeterFactory>();
        var recorded = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == ResilienceDiagnostics.Instruments.RequestDuration && instrument.Meter.Scope == meters)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => recorded++);
        Map(_ =>
        {
            listener.Start();
            return Task.CompletedTask;
        });

        await CallAsync();
        recorded.ShouldBe(0);
        await CallAsync();
        recorded.ShouldBe(1);
    }

    [Fact]
    public async Task Invoke_QueuedRequestWhoseFeaturesFail_GivesEverythingBack()
    {
        using var host = QueueingHost();
        var pipeline = LayersUnderTest.Build(host.Services);
        TaskCompletionSource leave = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var endpoint = LayersUnderTest.Endpoint(_ => leave.Task, "GET /", new BulkheadAttribute("db"));
        var inside = pipeline(Request(endpoint, new FeatureCollection()));
        var features = new FailingFeatures();
        var queued = pipeline(Request(endpoint, features));
        var bulkhead = host.Services.GetRequiredService<BulkheadRegistry>().Get("db");
        bulkhead.Snapshot().Queued.ShouldBe(1);

        features.IsFailing = true;
        leave.SetResult();
        await inside;
        await queued.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static IHost QueueingHost()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Resilience:Bulkheads:db:MaxConcurrency"] = "1",
            ["Resilience:Bulkheads:db:QueueLength"] = "1",
        });
        builder.AddResilienceLayers();
        return builder.Build();
    }

    private static DefaultHttpContext Request(Endpoint endpoint, IFeatureCollection features)
    {
        features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(new MemoryStream()));
        var context = new DefaultHttpContext(features);
        context.SetEndpoint(endpoint);
        return context;
    }

    private static Task NoTask() => Unsafe.As<Task>(null)!;

    private void Map(RequestDelegate endpoint) => _app.MapGet("/", endpoint).WithBulkhead("db").WithCircuitBreaker("db");

    private async Task<int> CallAsync()
    {
        if (!_isStarted)
        {
            _isStarted = true;
            await _app.StartAsync(TestContext.Current.CancellationToken);
        }

        using var response = await _app.GetTestClient().GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    private void ShouldHoldNothing(int failures)
    {
        _app.Services.GetRequiredService<BulkheadRegistry>().Get("db").Snapshot().InFlight.ShouldBe(0);
        var circuit = _app.Services.GetRequiredService<CircuitBreakerRegistry>().Get("db").Snapshot();
        (circuit.Calls, circuit.Failures).ShouldBe((1, failures));
    }

    /// <summary>Fails once when it is asked for the request.</summary>
    private sealed class FailingFeatures : IFeatureCollection
    {
        private readonly FeatureCollection _features = new();

        public bool IsFailing { get; set; }

        public bool IsReadOnly => false;

        public int Revision => _features.Revision;

        public object? this[Type key]
        {
            get
            {
                if (IsFailing && key == typeof(IHttpRequestFeature))
                {
                    IsFailing = false;
                    throw new ObjectDisposedException("request");
                }

                return _features[key];
            }
            set => _features[key] = value;
        }

        public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

        public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

        public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => _features.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
