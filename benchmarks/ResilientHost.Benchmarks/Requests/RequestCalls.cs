using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>Requests to one endpoint through one pipeline, one after the other on the calling thread.</summary>
internal sealed class RequestCalls : IOperation, IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly Pipeline _pipeline;
    private readonly Endpoint _endpoint;
    private readonly InMemoryServer _server;
    private readonly Gate? _gate;
    private MeterListener? _listener;

    /// <param name="pipeline">The way to the endpoint; owned.</param>
    /// <param name="endpoint">The endpoint of every request.</param>
    /// <param name="expectedStatus">The answer that every request must get: a benchmark of something else is worth nothing.</param>
    /// <param name="gate">What the endpoint awaits, if it does.</param>
    /// <param name="requestId">The id that the caller gave the request, if it did.</param>
    /// <param name="isHttp2">Whether the server's requests look like those of HTTP/2.</param>
    public RequestCalls(Pipeline pipeline, Endpoint endpoint, int expectedStatus, Gate? gate = null, string? requestId = null, bool isHttp2 = false)
    {
        _pipeline = pipeline;
        _endpoint = endpoint;
        _gate = gate;
        _server = new InMemoryServer(pipeline.Services, isHttp2);
        if (requestId is not null)
        {
            _server.SetRequestHeader("X-Request-ID", requestId);
        }

        Run(1);
        if (_server.StatusCode != expectedStatus || _server.BytesWritten == 0)
        {
            throw new InvalidOperationException($"The benchmark's endpoint answered {_server.StatusCode} with {_server.BytesWritten} bytes, but must answer {expectedStatus} with a body.");
        }
    }

    public static RequestCalls Bare() => Synchronous(Pipeline.Bare());

    public static RequestCalls BareAwaiting() => Awaiting(Pipeline.Bare());

    public static RequestCalls StockStack() => Synchronous(Pipeline.StockStack());

    public static RequestCalls StockThrowing() => Throwing(Pipeline.Stock());

    public static RequestCalls StockPollyOpen()
    {
        var pipeline = Pipeline.Stock();
        return new RequestCalls(pipeline, Endpoints.BehindOpenPollyBreaker(pipeline.Services), StatusCodes.Status500InternalServerError);
    }

    public static RequestCalls Layered() => Synchronous(Pipeline.Layered(), Layers.Named());

    /// <summary>With a dashboard mapped, and no page open.</summary>
    public static RequestCalls LayeredWatched() => Synchronous(Pipeline.Watched(), Layers.Named());

    /// <summary>The caller has given the request an id, which comes back with the answer.</summary>
    public static RequestCalls LayeredWithId()
    {
        var pipeline = Pipeline.Layered();
        return new RequestCalls(pipeline, Endpoints.Synchronous(pipeline.Services, Layers.Named()), StatusCodes.Status200OK, requestId: "request-0");
    }

    /// <summary>Every instrument of the library is listened to.</summary>
    public static RequestCalls LayeredListened()
    {
        var calls = Layered();
        calls._listener = Listener.ToEverythingOf(calls._pipeline.Services.GetRequiredService<IMeterFactory>());
        return calls;
    }

    public static RequestCalls BareHttp2() => Synchronous(Pipeline.Bare(), isHttp2: true);

    public static RequestCalls LayeredHttp2() => Synchronous(Pipeline.Layered(), isHttp2: true, Layers.Named());

    public static RequestCalls BareAwaitingHttp2() => Awaiting(Pipeline.Bare(), isHttp2: true);

    public static RequestCalls LayeredAwaitingHttp2() => Awaiting(Pipeline.Layered(), isHttp2: true, Layers.Named());

    public static RequestCalls LayeredAwaiting() => Awaiting(Pipeline.Layered(), Layers.Named());

    /// <summary>The breaker of the endpoint is open, with a break to tell the caller about.</summary>
    public static RequestCalls LayeredOpen()
    {
        var pipeline = Pipeline.Layered();
        pipeline.Services.GetRequiredService<CircuitBreakerRegistry>().Get(Layers.Name).ForceOpen(TimeSpan.FromDays(1));
        return new RequestCalls(pipeline, Endpoints.Synchronous(pipeline.Services, Layers.Named()), StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>The service level is held where requests to the endpoint are turned down; by its id this one is.</summary>
    public static RequestCalls LayeredShed()
    {
        var pipeline = Pipeline.Layered();
        pipeline.Services.GetRequiredService<IServiceLevel>().Override(ServiceLevel.Survival);
        object[] metadata = [.. Layers.Named(), new CriticalityAttribute(Criticality.Sheddable)];
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new RequestCalls(pipeline, Endpoints.Synchronous(pipeline.Services, metadata), StatusCodes.Status503ServiceUnavailable, requestId: $"request-{attempt}");
            }
            catch (InvalidOperationException) when (attempt < 10)
            {
                // One id in a hundred always passes, and which that are is another matter in each process.
            }
        }
    }

    /// <summary>Without a named breaker: it would open, and refusals would be measured.</summary>
    public static RequestCalls LayeredThrowing() => Throwing(Pipeline.Layered());

    /// <summary>An endpoint that never fails, with a fallback.</summary>
    public static RequestCalls LayeredWithFallback() => Synchronous(Pipeline.Layered(), WithFallback());

    public static RequestCalls LayeredAwaitingWithFallback() => Awaiting(Pipeline.Layered(), WithFallback());

    /// <summary>Its last good response is kept, and not due again while this is measured.</summary>
    public static RequestCalls LayeredWithStaleFallback() =>
        Synchronous(Pipeline.Layered(), [.. Layers.Named(), .. Layers.Of(static endpoint => endpoint.WithStaleFallback(TimeSpan.FromDays(7)))]);

    public static RequestCalls LayeredWithTimeout() => Synchronous(Pipeline.Layered(), WithTimeout());

    public static RequestCalls LayeredAwaitingWithTimeout() => Awaiting(Pipeline.Layered(), WithTimeout());

    public static RequestCalls StockTimeout() => Synchronous(Pipeline.StockTimeouts(), StockPolicy());

    public static RequestCalls StockStackWithTimeout() => Synchronous(Pipeline.StockStack(withTimeouts: true), StockPolicy());

    /// <summary>The framework's own metadata for a timeout.</summary>
    public static RequestTimeoutPolicy StockPolicy() => new() { Timeout = Timeout };

    public void Run(int count)
    {
        for (var request = 0; request < count; request++)
        {
            var task = _pipeline.Invoke(_server.Begin(_endpoint));
            _gate?.Open();
            task.GetAwaiter().GetResult();
            _server.End();
        }
    }

    public void Dispose()
    {
        _listener?.Dispose();
        _pipeline.Dispose();
    }

    private static object[] WithFallback() => [.. Layers.Named(), .. Layers.Of(static endpoint => endpoint.WithFallback(Endpoints.Spare))];

    private static object[] WithTimeout() => [.. Layers.Named(), .. Layers.Of(static endpoint => endpoint.WithTimeout(Timeout))];

    private static RequestCalls Synchronous(Pipeline pipeline, params object[] metadata) => Synchronous(pipeline, isHttp2: false, metadata);

    private static RequestCalls Synchronous(Pipeline pipeline, bool isHttp2, params object[] metadata) =>
        new(pipeline, Endpoints.Synchronous(pipeline.Services, metadata), StatusCodes.Status200OK, isHttp2: isHttp2);

    private static RequestCalls Throwing(Pipeline pipeline) =>
        new(pipeline, Endpoints.Throwing(pipeline.Services), StatusCodes.Status500InternalServerError);

    private static RequestCalls Awaiting(Pipeline pipeline, params object[] metadata) => Awaiting(pipeline, isHttp2: false, metadata);

    private static RequestCalls Awaiting(Pipeline pipeline, bool isHttp2, params object[] metadata)
    {
        var gate = new Gate();
        return new RequestCalls(pipeline, Endpoints.Awaiting(gate, pipeline.Services, metadata), StatusCodes.Status200OK, gate, isHttp2: isHttp2);
    }
}
