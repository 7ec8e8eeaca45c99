using System.Threading.RateLimiting;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace ResilientHost.Benchmarks.Outbound;

/// <summary>The same strategies in the same order, composed by hand of Polly.Core the way Http.Resilience does it: a pooled context, a static callback.</summary>
internal sealed class PollyHandler : DelegatingHandler
{
    private static readonly ResiliencePropertyKey<HttpRequestMessage> RequestKey = new("request");

    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()
        .AddTimeout(new TimeoutStrategyOptions { Timeout = TimeSpan.FromSeconds(30) })
        .AddRetry(new RetryStrategyOptions<HttpResponseMessage> { ShouldHandle = static arguments => new(IsFailure(arguments.Outcome)), MaxRetryAttempts = 2, UseJitter = true })
        .AddStrategy(static _ => new LimiterStrategy(), new LimiterOptions())
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage> { ShouldHandle = static arguments => new(IsFailure(arguments.Outcome)), FailureRatio = 0.5, MinimumThroughput = 20 })
        .AddTimeout(new TimeoutStrategyOptions { Timeout = TimeSpan.FromSeconds(10) })
        .Build();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(RequestKey, request);
        try
        {
            var outcome = await _pipeline.ExecuteOutcomeAsync(
                static async (context, handler) =>
                {
                    try
                    {
                        context.Properties.TryGetValue(RequestKey, out var request);
                        return Outcome.FromResult(await handler.SendInnerAsync(request!, context.CancellationToken));
                    }
                    catch (Exception exception)
                    {
                        return Outcome.FromException<HttpResponseMessage>(exception);
                    }
                },
                context,
                this);
            outcome.ThrowIfException();
            return outcome.Result!;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static bool IsFailure(Outcome<HttpResponseMessage> outcome) =>
        outcome.Exception is HttpRequestException or TimeoutRejectedException || (outcome.Result is { } response && (int)response.StatusCode is >= 500 or 408 or 429);

    private Task<HttpResponseMessage> SendInnerAsync(HttpRequestMessage request, CancellationToken cancellationToken) => base.SendAsync(request, cancellationToken);

    /// <summary>What Polly.RateLimiting does with the framework's limiter.</summary>
    private sealed class LimiterStrategy : ResilienceStrategy<HttpResponseMessage>
    {
        private readonly ConcurrencyLimiter _limiter = new(new ConcurrencyLimiterOptions { PermitLimit = 256, QueueLimit = 0 });

        protected override async ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state)
        {
            using var lease = await _limiter.AcquireAsync(1, context.CancellationToken);
            return lease.IsAcquired
                ? await callback(context, state)
                : Outcome.FromException<HttpResponseMessage>(new InvalidOperationException("No room."));
        }
    }

    private sealed class LimiterOptions : ResilienceStrategyOptions;
}
