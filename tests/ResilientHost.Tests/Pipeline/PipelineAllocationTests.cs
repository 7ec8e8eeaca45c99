using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHost.Pipeline;

namespace ResilientHost.Tests.Pipeline;

/// <summary>What all layers together take from the heap for a request that goes well, outermost catch included.</summary>
public sealed class PipelineAllocationTests
{
    private const int Calls = 1_000;
    private TaskCompletionSource _answer = new();

    private static readonly byte[] Body = new byte[512];

    // The time never runs out and the response is never due again while it is measured.
    private static readonly object Fallback = new FallbackMetadata(static () => "spare");
    private static readonly object Stale = new StaleFallbackMetadata(TimeSpan.FromDays(7), null);
    private static readonly object OwnTimeout = new TimeoutMetadata(TimeSpan.FromDays(1));

    public static TheoryData<string, object[]> Metadata { get; } = new()
    {
        { "nothing", [] },
        { "fallback", [Fallback] },
        { "timeout", [OwnTimeout] },
        { "stale fallback between refreshes", [Stale] },
        { "all of them", [Fallback, Stale, OwnTimeout] },
    };

    [Theory, MemberData(nameof(Metadata))]
    public void Request_EndpointCompletesAtOnce_AllocatesNothing(string with, object[] metadata) =>
        Added(static _ => Task.CompletedTask, static () => { }, metadata).ShouldBe(0, with);

    [Theory, MemberData(nameof(Metadata))]
    public void Request_EndpointWritesAtOnce_AllocatesNothing(string with, object[] metadata) =>
        Added(
            static async context => await context.Response.Body.WriteAsync(Body),
            static () => { },
            metadata).ShouldBe(0, with);

    [Theory, MemberData(nameof(Metadata))]
    public void Request_EndpointAwaits_AllocatesOneFrame(string with, object[] metadata) =>
        Added(
            _ => _answer.Task,
            () =>
            {
                _answer.SetResult();
                _answer = new TaskCompletionSource();
            },
            metadata).ShouldBeInRange(1, 128, with);

    [Fact]
    public void Request_EndpointAsksForItsToken_AllocatesOneSourceForTheTimeout() =>
        Added(
            static context =>
            {
                context.RequestAborted.IsCancellationRequested.ShouldBeFalse();
                return Task.CompletedTask;
            },
            static () => { },
            OwnTimeout).ShouldBeInRange(1, 200);

    // The context that a fallback is given, and the mark that its answer carries. Without an answer, the copy that waited for a good response, and a guard: the problem leaves the next request another body here than there was.
    [Theory]
    [InlineData("fallback", 200)]
    [InlineData("stale fallback that has nothing", 300)]
    public void Request_Fails_AllocatesLittleMoreWithAFallback(string with, int atMost)
    {
        object fallback = with == "fallback" ? new FallbackMetadata((RequestDelegate)(static _ => Task.CompletedTask)) : Stale;

        // Code that the compiler has not finished with allocates more, and it does not say when it has.
        Enumerable.Range(0, 5).Select(_ => Failing(fallback) - Failing()).Any(added => added <= atMost).ShouldBeTrue(with);

        static long Failing(params object[] metadata)
        {
            var builder = Host.CreateApplicationBuilder();
            builder.AddResilienceLayers();
            using var host = builder.Build();
            return Measure(LayersUnderTest.Build(host.Services), static () => { }, static _ => throw new InvalidOperationException(), metadata);
        }
    }

    // The call, its context and what waits for the response; nothing of it without a client that asks.
    [Theory]
    [InlineData("nothing")]
    [InlineData("timeout")]
    public void Request_OfAHostWithOutboundClients_AllocatesItsCallAndContext(string with) =>
        Added(static _ => Task.CompletedTask, static () => { }, hasClients: true, with == "timeout" ? [OwnTimeout] : []).ShouldBeInRange(1, 240);

    private static long Added(RequestDelegate endpoint, Action complete, params object[] metadata) => Added(endpoint, complete, hasClients: false, metadata);

    private static long Added(RequestDelegate endpoint, Action complete, bool hasClients, object[] metadata)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.AddResilienceLayers();
        if (hasClients)
        {
            builder.Services.AddInboundCallReader();
        }

        using var host = builder.Build();
        var bare = Measure(endpoint, complete, endpoint, []);
        return Measure(LayersUnderTest.Build(host.Services), complete, endpoint, metadata) - bare;
    }

    private static long Measure(RequestDelegate pipeline, Action complete, RequestDelegate endpoint, object[] metadata)
    {
        using var client = new CancellationTokenSource();
        var context = new DefaultHttpContext { Request = { Method = HttpMethods.Get } };
        context.Features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature { RequestAborted = client.Token });
        context.SetEndpoint(LayersUnderTest.Endpoint(endpoint, "measured", metadata));
        return AllocatedBytes.LeastOf(() =>
        {
            for (var call = 0; call < Calls; call++)
            {
                var task = pipeline(context);
                complete();
                task.IsCompletedSuccessfully.ShouldBeTrue();
            }
        }) / Calls;
    }
}
