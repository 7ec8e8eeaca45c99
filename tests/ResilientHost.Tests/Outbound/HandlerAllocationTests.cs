using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

public class HandlerAllocationTests(ITestOutputHelper output)
{
    private const int Calls = 20_000;

    [Fact]
    public async Task GoodCall_AgainstPollysStrategiesComposedByHand_CostsAtMostHalfTheBytes()
    {
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient("pricing").AddResilienceLayers();
        await using var provider = services.BuildServiceProvider();
        var state = provider.GetRequiredService<OutboundClients>().GetOrAdd("pricing");

        var transport = new Transport();
        var bare = Measure("transport alone", transport, transport);
        var ours = Measure("layers", new ResilienceHandler(state, provider.GetRequiredService<OutboundServices>(), new()) { InnerHandler = transport }, transport) - bare;
        var pollys = Measure("Polly by hand", new PollyHandler { InnerHandler = transport }, transport) - bare;

        ours.ShouldBeLessThanOrEqualTo(pollys / 2);
    }

    private long Measure(string name, HttpMessageHandler handler, Transport transport)
    {
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var source = new CancellationTokenSource();
        var bytes = AllocatedBytes.Of(() => Run(invoker, transport, source.Token)) / Calls;
        output.WriteLine($"{name}: {bytes} B a call");
        return bytes;
    }

    private static void Run(HttpMessageInvoker invoker, Transport transport, CancellationToken cancellationToken)
    {
        for (var call = 0; call < Calls; call++)
        {
            var sending = invoker.SendAsync(new(HttpMethod.Get, HandlerFixture.Address), cancellationToken);
            transport.Answer();
            sending.IsCompletedSuccessfully.ShouldBeTrue();
        }
    }

    private sealed class Transport : HttpMessageHandler
    {
        private readonly HttpResponseMessage _answer = new(HttpStatusCode.OK);
        private TaskCompletionSource<HttpResponseMessage>? _sending;

        /// <summary>Answers, and what waits for it goes on here.</summary>
        public void Answer() => _sending!.SetResult(_answer);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => (_sending = new()).Task;
    }

    /// <summary>Total timeout, retry, circuit, attempt timeout: what one writes with Polly alone.</summary>
    private sealed class PollyHandler : DelegatingHandler
    {
        private readonly ResiliencePipeline<HttpResponseMessage> _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddTimeout(TimeSpan.FromSeconds(30))
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage> { ShouldHandle = static arguments => new(IsFailure(arguments.Outcome)) })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage> { ShouldHandle = static arguments => new(IsFailure(arguments.Outcome)) })
            .AddTimeout(TimeSpan.FromSeconds(10))
            .Build();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var context = ResilienceContextPool.Shared.Get(cancellationToken);
            try
            {
                var outcome = await _pipeline.ExecuteOutcomeAsync(
                    static async (context, state) =>
                    {
                        try
                        {
                            return Outcome.FromResult(await state.Self.SendInnerAsync(state.Request, context.CancellationToken));
                        }
                        catch (Exception exception)
                        {
                            return Outcome.FromException<HttpResponseMessage>(exception);
                        }
                    },
                    context,
                    (Self: this, Request: request));
                outcome.ThrowIfException();
                return outcome.Result!;
            }
            finally
            {
                ResilienceContextPool.Shared.Return(context);
            }
        }

        private static bool IsFailure(Outcome<HttpResponseMessage> outcome) => outcome.Exception is HttpRequestException || outcome.Result is { StatusCode: >= HttpStatusCode.InternalServerError };

        private Task<HttpResponseMessage> SendInnerAsync(HttpRequestMessage request, CancellationToken cancellationToken) => base.SendAsync(request, cancellationToken);
    }
}
