using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace ResilientHost.Tests.Contract;

public sealed class CircuitBreakerStrategyContractTests
{
    private readonly CircuitBreaker _breaker;
    private readonly ResiliencePipeline _pipeline;

    public CircuitBreakerStrategyContractTests()
    {
        _breaker = new CircuitBreaker("db", new CircuitBreakerOptions { MinimumThroughput = 100, BreakJitter = 0 }, new ManualTimeProvider());
        _pipeline = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(_breaker).Build();
    }

    private (int Calls, int Failures) Counted => (_breaker.Snapshot().Calls, _breaker.Snapshot().Failures);

    [Fact]
    public async Task Execute_TimedOutFurtherIn_IsAFailureThoughPollyCallsItARejection()
    {
        await Should.ThrowAsync<TimeoutRejectedException>(async () => await _pipeline.ExecuteAsync(_ => throw new TimeoutRejectedException("slow"), TestContext.Current.CancellationToken));

        Counted.ShouldBe((1, 1));
    }

    [Fact]
    public async Task Execute_RefusedWithTimeoutFurtherIn_IsAFailure()
    {
        await Should.ThrowAsync<RefusedException>(async () => await _pipeline.ExecuteAsync(
            _ => throw new RefusedException(new Refusal(RefusalReason.Timeout, "inner", null)), TestContext.Current.CancellationToken));

        Counted.ShouldBe((1, 1));
    }

    [Fact]
    public async Task Execute_PollysOwnBreakerFurtherInRefuses_IsIgnored()
    {
        await Should.ThrowAsync<BrokenCircuitException>(async () => await _pipeline.ExecuteAsync(_ => throw new BrokenCircuitException("inner"), TestContext.Current.CancellationToken));

        Counted.ShouldBe((0, 0));
    }

    [Fact]
    public async Task Execute_HalfOpenProbeCancelledByTheCaller_GivesItsPlaceBack()
    {
        var time = new ManualTimeProvider();
        var breaker = new CircuitBreaker("db", new CircuitBreakerOptions { HalfOpenProbes = 1, BreakJitter = 0 }, time);
        var pipeline = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(breaker).Build();
        breaker.ForceOpen();
        time.Advance(TimeSpan.FromSeconds(5));
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var gate = new TaskCompletionSource();
        var call = pipeline.ExecuteAsync(async token => await gate.Task.WaitAsync(token), cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(call);

        breaker.TryEnter(out var permit, out _).ShouldBeTrue();
        permit.IsProbe.ShouldBeTrue();
    }

    [Fact]
    public async Task Execute_TokenCancelledBefore_CountsNothing()
    {
        await Should.ThrowAsync<OperationCanceledException>(async () => await _pipeline.ExecuteAsync(
            token =>
            {
                token.ThrowIfCancellationRequested();
                return ValueTask.CompletedTask;
            },
            new CancellationToken(canceled: true)));

        Counted.ShouldBe((0, 0));
    }

    [Fact]
    public async Task Execute_Isolated_ThrowsARejectionThatTellsAll()
    {
        _breaker.Isolate();

        var error = await Should.ThrowAsync<RefusedException>(async () => await _pipeline.ExecuteAsync(_ => ValueTask.CompletedTask, TestContext.Current.CancellationToken));

        error.ShouldBeAssignableTo<ExecutionRejectedException>();
        error.Refusal.ShouldBe(new Refusal(RefusalReason.CircuitOpen, "db", null));
    }

    [Fact]
    public void Execute_Synchronously_WorksToo()
    {
        _pipeline.Execute(() => { });
        Should.Throw<InvalidOperationException>(() => _pipeline.Execute(() => throw new InvalidOperationException()));

        Counted.ShouldBe((2, 1));
    }

    [Fact]
    public async Task Execute_GenericResultClassifiedAsFailed_CountsAndIsReturned()
    {
        var pipeline = new ResiliencePipelineBuilder<int>()
            .AddResilientCircuitBreaker(_breaker, outcome => outcome.Result >= 500 ? CallOutcome.Failed : CallOutcome.Succeeded)
            .Build();

        (await pipeline.ExecuteAsync(_ => ValueTask.FromResult(503), TestContext.Current.CancellationToken)).ShouldBe(503);

        Counted.ShouldBe((1, 1));
    }

    [Fact]
    public async Task Execute_BulkheadFurtherInIsFull_CountsNothing()
    {
        var bulkhead = new Bulkhead("inner", new BulkheadOptions { MaxConcurrency = 1 }, new ManualTimeProvider());
        bulkhead.TryEnter(out _, out _).ShouldBeTrue();
        var pipeline = new ResiliencePipelineBuilder().AddResilientCircuitBreaker(_breaker).AddResilientBulkhead(bulkhead).Build();

        (await Should.ThrowAsync<RefusedException>(async () => await pipeline.ExecuteAsync(_ => ValueTask.CompletedTask, TestContext.Current.CancellationToken)))
            .Refusal.Source.ShouldBe("inner");

        Counted.ShouldBe((0, 0));
    }

    [Fact]
    public async Task Execute_CircuitFurtherInIsOpen_ReturnsTheBulkheadsLease()
    {
        var bulkhead = new Bulkhead("outer", new BulkheadOptions { MaxConcurrency = 1 }, new ManualTimeProvider());
        _breaker.Isolate();
        var pipeline = new ResiliencePipelineBuilder().AddResilientBulkhead(bulkhead).AddResilientCircuitBreaker(_breaker).Build();

        for (var i = 0; i < 3; i++)
        {
            (await Should.ThrowAsync<RefusedException>(async () => await pipeline.ExecuteAsync(_ => ValueTask.CompletedTask, TestContext.Current.CancellationToken)))
                .Refusal.Source.ShouldBe("db");
        }

        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 1, InFlight = 0, Queued = 0, Refused = 0 });
    }

    [Fact]
    public async Task Execute_OptionsApplied_PipelineKeepsItsState()
    {
        await Should.ThrowAsync<InvalidOperationException>(async () => await _pipeline.ExecuteAsync(_ => throw new InvalidOperationException(), TestContext.Current.CancellationToken));
        _breaker.Apply(new CircuitBreakerOptions { MinimumThroughput = 2, BreakJitter = 0 });
        await Should.ThrowAsync<InvalidOperationException>(async () => await _pipeline.ExecuteAsync(_ => throw new InvalidOperationException(), TestContext.Current.CancellationToken));

        await Should.ThrowAsync<RefusedException>(async () => await _pipeline.ExecuteAsync(_ => ValueTask.CompletedTask, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Execute_TripsItself_ReturnsItsOwnResult()
    {
        var breaker = new CircuitBreaker("db", new CircuitBreakerOptions { MinimumThroughput = 1 }, new ManualTimeProvider());
        var pipeline = new ResiliencePipelineBuilder<string>().AddResilientCircuitBreaker(breaker, _ => CallOutcome.Failed).Build();

        (await pipeline.ExecuteAsync(_ => ValueTask.FromResult("mine"), TestContext.Current.CancellationToken)).ShouldBe("mine");

        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Build_WithoutBreakerOrBulkhead_Throws()
    {
        Should.Throw<ArgumentNullException>(() => new ResiliencePipelineBuilder().AddResilientCircuitBreaker(null!));
        Should.Throw<ArgumentNullException>(() => new ResiliencePipelineBuilder<int>().AddResilientCircuitBreaker(null!));
        Should.Throw<ArgumentNullException>(() => new ResiliencePipelineBuilder().AddResilientBulkhead(null!));
        Should.Throw<ArgumentNullException>(() => new ResiliencePipelineBuilder<int>().AddResilientBulkhead(null!));
    }
}
