using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using ResilientHost.Benchmarks.CircuitBreaking;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>The endpoints behind the pipelines: ordinary minimal-API handlers that return a small object as JSON.</summary>
internal static class Endpoints
{
    private static readonly Product Answer = new(1, "Kettle", 39.90m);

    /// <summary>Completes before it returns.</summary>
    public static Endpoint Synchronous(IServiceProvider services, params object[] metadata) =>
        Make(() => Answer, services, metadata);

    /// <summary>Awaits something incomplete before it answers.</summary>
    public static Endpoint Awaiting(Gate gate, IServiceProvider services, params object[] metadata) =>
        Make(
            async () =>
            {
                await gate.WaitAsync();
                return Answer;
            },
            services,
            metadata);

    /// <summary>What stands in for the answer.</summary>
    public static object Spare() => Answer;

    /// <summary>Throws before it returns: the cheapest exception there is, a few frames deep.</summary>
    public static Endpoint Throwing(IServiceProvider services, params object[] metadata) =>
        Make(Product () => throw new InvalidOperationException("benchmark"), services, metadata);

    /// <summary>Does something that fails, and waits for it.</summary>
    public static Endpoint Failing(Func<Task> work, IServiceProvider services, params object[] metadata) =>
        Make(
            async () =>
            {
                await work();
                return Answer;
            },
            services,
            metadata);

    /// <summary>Calls something behind an open Polly breaker and lets its exception go, as a handler does.</summary>
    public static Endpoint BehindOpenPollyBreaker(IServiceProvider services)
    {
        var breaker = PollyCalls.OpenBreaker();
        return Make(
            async () =>
            {
                await breaker.ExecuteAsync(Work.Succeeds);
                return Answer;
            },
            services,
            []);
    }

    private static RouteEndpoint Make(Delegate handler, IServiceProvider services, object[] metadata)
    {
        var options = new RequestDelegateFactoryOptions { ServiceProvider = services };
        return new RouteEndpoint(
            RequestDelegateFactory.Create(handler, options).RequestDelegate,
            RoutePatternFactory.Parse("/products/1"),
            order: 0,
            new EndpointMetadataCollection([new HttpMethodMetadata(["GET"]), .. metadata]),
            "HTTP: GET /products/1");
    }

    private sealed record Product(int Id, string Name, decimal Price);
}
