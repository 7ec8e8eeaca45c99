using Polly;
using Polly.Retry;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed class CircuitBreakerStrategyTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly CircuitBreaker _breaker;

    public CircuitBreakerStrategyTests() =>
        _breaker = new CircuitBreaker("db", new CircuitBreakerOptions { MinimumThroughput = 100, BreakJitter = 0, HalfOpenProbes = 1 }, _time);

    [Fact]
    public async Task Execute_Closed_PassesTheResultAndCountsIt()
    {
        var pipeline = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(_breaker).Build();
        (await pipeline.ExecuteAsync(_ => ValueTask.FromResult(7))).ShouldBe(7);
        pipeline.Execute(() => 8).ShouldBe(8);
        await Should.ThrowAsync<FormatException>(async () => await pipeline.ExecuteAsync(_ => throw new FormatException()));
        Counts().ShouldBe((3, 1));
    }

    [Fact]
    public async Task Execute_CompletesLater_CountsThen()
    {
        var pipeline = new ResiliencePipelineBuilder<int>().AddResilientCircuitBreaker(_breaker).Build();
        var gate = new TaskCompletionSource<int>();
        var call = pipeline.ExecuteAsync(async _ => await gate.Task).AsTask();
        Counts().ShouldBe((0, 0));
        gate.SetException(new FormatException());
        await Should.ThrowAsync<FormatException>(call);
        Counts().ShouldBe((1, 1));
    }

    [Fact]
    public async Task Execute_Open_RefusesWithTheRefusal()
    {
        _breaker.ForceOpen();
        var pipeline = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(_breaker).Build();
        var error = await Should.ThrowAsync<ExecutionRejectedException>(async () => await pipeline.ExecuteAsync(_ => default));
        error.ShouldBeOfType<RefusedException>().Refusal
            .ShouldBe(new Refusal(RefusalReason.CircuitOpen, "db", TimeSpan.FromSeconds(5)));
        error.Message.ShouldBe("The call was refused by 'db' (CircuitOpen). Retry after 5 s.");
    }

    [Fact]
    public async Task ExecuteOutcome_Open_DoesNotThrow()
    {
        _breaker.Isolate();
        var pipeline = new ResiliencePipelineBuilder<int>().AddResilientCircuitBreaker(_breaker).Build();
        var context = ResilienceContextPool.Shared.Get();
        var outcome = await pipeline.ExecuteOutcomeAsync((_, _) => new ValueTask<Outcome<int>>(Outcome.FromResult(1)), context, 0);
        outcome.Exception.ShouldBeOfType<RefusedException>().Message.ShouldBe("The call was refused by 'db' (CircuitOpen).");
    }

    [Fact]
    public async Task Execute_CallerCancelled_IsIgnored()
    {
        using var source = new CancellationTokenSource();
        var pipeline = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(_breaker, _ => CallOutcome.Failed).Build();
        await Should.ThrowAsync<OperationCanceledException>(async () => await pipeline.ExecuteAsync(
            async token =>
            {
                await source.CancelAsync();
                token.ThrowIfCancellationRequested();
            },
            source.Token));
        Counts().ShouldBe((0, 0));
    }

    [Fact]
    public async Task Execute_CancelledByNobodyWeKnow_Failed()
    {
        var pipeline = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(_breaker).Build();
        await Should.ThrowAsync<OperationCanceledException>(async () => await pipeline.ExecuteAsync(_ => throw new TaskCanceledException()));
        Counts().ShouldBe((1, 1));
    }

    [Fact]
    public async Task Execute_RefusedFurtherIn_IsIgnored()
    {
        var inner = new CircuitBreaker("inner", new CircuitBreakerOptions(), _time);
        inner.Isolate();
        var pipeline = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(_breaker).AddResilientCircuitBreaker(inner).Build();
        (await Should.ThrowAsync<RefusedException>(async () => await pipeline.ExecuteAsync(_ => default))).Refusal.Source.ShouldBe("inner");
        Counts().ShouldBe((0, 0));
    }

    [Fact]
    public async Task Execute_Classifier_DecidesOverResultsAndExceptions()
    {
        var typed = new ResiliencePipelineBuilder<int>()
            .AddResilientCircuitBreaker(_breaker, o => o.Exception is not null ? CallOutcome.Succeeded : o.Result >= 500 ? CallOutcome.Failed : CallOutcome.Ignored)
            .Build();
        (await typed.ExecuteAsync(_ => ValueTask.FromResult(503))).ShouldBe(503);
        await typed.ExecuteAsync(_ => ValueTask.FromResult(200));
        await Should.ThrowAsync<FormatException>(async () => await typed.ExecuteAsync<int>(_ => throw new FormatException()));
        Counts().ShouldBe((2, 1));
        var untyped = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(_breaker, o => o.Result is 503 ? CallOutcome.Failed : CallOutcome.Succeeded).Build();
        await untyped.ExecuteAsync(_ => ValueTask.FromResult(503));
        Counts().ShouldBe((3, 2));
    }

    [Fact]
    public async Task Execute_ClassifierThrows_GivesThePermitBackAsIgnored()
    {
        _breaker.ForceOpen();
        _time.Advance(TimeSpan.FromSeconds(5));
        var pipeline = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(_breaker, _ => throw new NotSupportedException()).Build();
        for (var i = 0; i < 3; i++)
        {
            await Should.ThrowAsync<NotSupportedException>(async () => await pipeline.ExecuteAsync(_ => default));
        }

        _breaker.State.ShouldBe(CircuitState.HalfOpen);
        _breaker.TryEnter(out _, out _).ShouldBeTrue("the one place is free");
    }

    [Fact]
    public async Task Execute_ClassifierReturnsNoOutcome_SaysSoAndGivesThePermitBack()
    {
        var pipeline = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(_breaker, _ => (CallOutcome)9).Build();
        (await Should.ThrowAsync<InvalidOperationException>(async () => await pipeline.ExecuteAsync(_ => default)))
            .Message.ShouldBe("The classifier of a resilience layer returned 9, which is no CallOutcome.");
        Counts().ShouldBe((0, 0));
    }

    [Fact]
    public async Task ExecuteOutcome_CallbackThrows_StillEndsTheCall()
    {
        var pipeline = new ResiliencePipelineBuilder<int>().AddResilientCircuitBreaker(_breaker).Build();
        var context = ResilienceContextPool.Shared.Get();
        var outcome = await pipeline.ExecuteOutcomeAsync<int, int>((_, _) => throw new FormatException(), context, 0);
        outcome.Exception.ShouldBeOfType<FormatException>();
        outcome = await pipeline.ExecuteOutcomeAsync<int, int>(
            async (_, _) =>
            {
                await Task.Yield();
                throw new FormatException();
            },
            context,
            0);
        outcome.Exception.ShouldBeOfType<FormatException>();
        Counts().ShouldBe((2, 2));
    }

    [Fact]
    public async Task Execute_InsideARetry_SeesEveryAttempt()
    {
        var pipeline = new ResiliencePipelineBuilder()
            .AddRetry(new RetryStrategyOptions { MaxRetryAttempts = 2, Delay = TimeSpan.Zero })
            .AddResilientCircuitBreaker(_breaker)
            .Build();
        await Should.ThrowAsync<FormatException>(async () => await pipeline.ExecuteAsync(_ => throw new FormatException()));
        Counts().ShouldBe((3, 3));
    }

    private (int Calls, int Failures) Counts() => (_breaker.Snapshot().Calls, _breaker.Snapshot().Failures);
}
