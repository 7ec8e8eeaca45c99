using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.Registry;
using Polly.Timeout;
using ResilientHost.Calls;
using ResilientHost.Propagation;

namespace ResilientHost.Tests.Calls;

public sealed class CallPipelinesTests
{
    private static readonly (string, string?) Plain = ("orders:Enabled", "true");
    private static readonly (string, string?)[] Retrying =
    [
        ("orders:Retry:MaxAttempts", "3"), ("orders:Retry:Delay", "00:00:01"), ("orders:Retry:Jitter", "0"),
    ];

    private int _calls;

    [Fact]
    public async Task Execute_Succeeding_GivesTheResultAndCountsIt()
    {
        using CallFixture host = new(Plain);
        (await host.Orders.ExecuteAsync(_ => ValueTask.FromResult(42), Token)).ShouldBe(42);
        host.Orders.Execute(() => 43).ShouldBe(43);
        var counted = host.Call.CircuitBreaker.Snapshot();
        (counted.Calls, counted.Failures, host.Call.CircuitBreaker.Name, host.Call.Bulkhead.Name).ShouldBe((2, 0, "call:orders", "call:orders"));
        Idle(host);
    }

    [Fact]
    public async Task Execute_Failing_ThrowsWhatWasThrownAndCountsIt()
    {
        using CallFixture host = new(Plain);
        await Should.ThrowAsync<IOException>(async () => await host.Orders.ExecuteAsync(_ => Fail(new IOException()), Token));
        (host.Call.CircuitBreaker.Snapshot().Failures, _calls).ShouldBe((1, 1));
        Idle(host);
    }

    [Fact]
    public async Task Execute_CircuitOpen_RefusesInTheCallsName()
    {
        using CallFixture host = new(Plain);
        _ = host.Orders;
        host.Call.CircuitBreaker.ForceOpen(TimeSpan.FromSeconds(9));
        var refused = await Should.ThrowAsync<RefusedException>(async () => await host.Orders.ExecuteAsync(_ => Fail(new IOException()), Token));
        (refused.Refusal, _calls).ShouldBe((new Refusal(RefusalReason.CircuitOpen, "call:orders", TimeSpan.FromSeconds(9)), 0));
        Idle(host);
    }

    [Fact]
    public async Task Execute_BulkheadFull_RefusesAndCountsNoCall()
    {
        using CallFixture host = new(("orders:Bulkhead:MaxConcurrency", "1"));
        TaskCompletionSource gate = new();
        var held = host.Orders.ExecuteAsync(async _ => await gate.Task, Token).AsTask();
        var refused = await Should.ThrowAsync<RefusedException>(async () => await host.Orders.ExecuteAsync(_ => Fail(new IOException()), Token));
        refused.Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        gate.SetResult();
        await held;
        host.Call.CircuitBreaker.Snapshot().Calls.ShouldBe(1);

        // The log's interval.
        host.Time.Advance(TimeSpan.FromSeconds(10));
        Idle(host);
    }

    [Fact]
    public async Task Execute_AttemptTakesTooLong_IsAFailureOfTheDependency()
    {
        using CallFixture host = new(("orders:AttemptTimeout", "00:00:02"));
        var call = host.Orders.ExecuteAsync(Hang, Token).AsTask();
        host.Time.Advance(TimeSpan.FromSeconds(2));
        await Should.ThrowAsync<TimeoutRejectedException>(call);
        host.Call.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
        Idle(host);
    }

    [Fact]
    public async Task Execute_TotalCutsTheAttempt_IsAFailureOfTheDependencyToo()
    {
        using CallFixture host = new(("orders:TotalTimeout", "00:00:00.005"));
        var call = host.Orders.ExecuteAsync(Hang, Token).AsTask();
        host.Time.Advance(TimeSpan.FromMilliseconds(5));
        await Should.ThrowAsync<TimeoutRejectedException>(call);
        host.Call.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
        Idle(host);
    }

    [Fact]
    public async Task Execute_CallerLeaves_CountsNothing()
    {
        using CallFixture host = new(Retrying);
        using CancellationTokenSource leaving = new();
        var call = host.Orders.ExecuteAsync(Hang, leaving.Token).AsTask();
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(call);
        (host.Call.CircuitBreaker.Snapshot().Calls, _calls).ShouldBe((0, 1));
        Idle(host);
    }

    [Fact]
    public async Task Execute_RetriesAsAskedFor_UntilItSucceeds()
    {
        using CallFixture host = new(Retrying);
        var call = host.Orders.ExecuteAsync(_ => ++_calls < 3 ? throw new IOException() : ValueTask.FromResult(_calls), Token).AsTask();
        _calls.ShouldBe(1);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        _calls.ShouldBe(2);
        host.Time.Advance(TimeSpan.FromSeconds(1.9));
        _calls.ShouldBe(2);
        host.Time.Advance(TimeSpan.FromSeconds(0.1));
        (await call).ShouldBe(3);
        (host.Call.CircuitBreaker.Snapshot().Failures, host.Call.Budget.Spent).ShouldBe((2, 2));
        Idle(host);
    }

    [Fact]
    public async Task Execute_BudgetSpent_MakesNoMoreAttempts()
    {
        using CallFixture host = new([.. Retrying, ("orders:Retry:BudgetFloor", "0"), ("orders:Retry:Budget", "0")]);
        var inbound = Serve(new());
        await Should.ThrowAsync<IOException>(async () => await host.Orders.ExecuteAsync(_ => Fail(new IOException()), Token));
        (_calls, inbound.DependencyFailed).ShouldBe((1, true));
    }

    [Fact]
    public async Task Execute_ServingARetry_MakesOneAttempt()
    {
        using CallFixture host = new(Retrying);
        var inbound = Serve(new() { Attempt = 2 });
        await Should.ThrowAsync<IOException>(async () => await host.Orders.ExecuteAsync(_ => Fail(new IOException()), Token));
        (_calls, inbound.DependencyFailed, host.Call.Budget.Spent).ShouldBe((1, true, 0));
    }

    [Fact]
    public async Task Execute_WaitLongerThanWhatIsLeft_MakesNoMoreAttempts()
    {
        using CallFixture host = new([.. Retrying, ("orders:TotalTimeout", "00:00:01")]);
        await Should.ThrowAsync<IOException>(async () => await host.Orders.ExecuteAsync(_ => Fail(new IOException()), Token));
        (_calls, host.Call.Budget.Spent).ShouldBe((1, 0));
        Idle(host);
    }

    [Fact]
    public async Task Execute_Refused_IsNotMadeAgain()
    {
        using CallFixture host = new(Retrying);
        _ = host.Orders;
        var inbound = Serve(new());
        host.Call.CircuitBreaker.Isolate();
        await Should.ThrowAsync<RefusedException>(async () => await host.Orders.ExecuteAsync(_ => Fail(new IOException()), Token));
        (host.Call.CircuitBreaker.Snapshot().Refused, host.Call.Budget.Spent, inbound.DependencyFailed).ShouldBe((1, 0, true));
        Idle(host);
    }

    [Fact]
    public async Task Execute_InboundTimeIsOver_IsNotStarted()
    {
        using CallFixture host = new(Plain);
        Serve(new() { CallersDeadline = host.Time.GetTimestamp() });
        var refused = await Should.ThrowAsync<RefusedException>(async () => await host.Orders.ExecuteAsync(_ => Fail(new IOException()), Token));
        (refused.Refusal.Reason, refused.Refusal.Source, _calls).ShouldBe((RefusalReason.DeadlineExceeded, "call:orders", 0));
    }

    [Fact]
    public async Task Execute_InboundTimeIsShorter_BoundsTheTotal()
    {
        using CallFixture host = new(Plain);
        Serve(new() { CallersDeadline = host.Time.GetTimestamp() + TimeSpan.FromSeconds(1).Ticks });
        var call = host.Orders.ExecuteAsync(Hang, Token).AsTask();
        host.Time.Advance(TimeSpan.FromSeconds(1));
        (await Should.ThrowAsync<RefusedException>(call)).Refusal.Reason.ShouldBe(RefusalReason.DeadlineExceeded);
        Idle(host);
    }

    [Fact]
    public async Task Execute_PipelineWithinAnother_LeavesTheOuterOneItsOwnPolicy()
    {
        using CallFixture host = new([.. Retrying, ("inner:TotalTimeout", "00:00:02")]);
        var inner = host.Registry.GetPipeline("inner");
        var context = ResilienceContextPool.Shared.Get(Token);
        var call = host.Orders.ExecuteAsync(
            async shared =>
            {
                _calls++;
                await inner.ExecuteAsync(_ => _calls < 3 ? throw new IOException() : ValueTask.CompletedTask, shared);
            },
            context).AsTask();
        host.Time.Advance(TimeSpan.FromSeconds(1));
        host.Time.Advance(TimeSpan.FromSeconds(2));
        await call;
        _calls.ShouldBe(3);
        ResilienceContextPool.Shared.Return(context);
    }

    [Theory]
    [InlineData("orders:Enabled")]
    [InlineData("Enabled")]
    public async Task Reload_KillSwitch_PassesThroughAndBack(string key)
    {
        using CallFixture host = new(Plain);
        var pipeline = host.Orders;
        host.Call.CircuitBreaker.Isolate();
        host.Reload((key, "false"));
        (await pipeline.ExecuteAsync(_ => ValueTask.FromResult(1), Token)).ShouldBe(1);
        host.Reload((key, "true"));
        await Should.ThrowAsync<RefusedException>(async () => await pipeline.ExecuteAsync(_ => ValueTask.FromResult(1), Token));
    }

    [Fact]
    public async Task Reload_KillSwitch_ReachesCallsThatConfigurationNoLongerNames()
    {
        using CallFixture host = new(Plain);
        var pipeline = host.Orders;
        var calls = host.Services.GetRequiredService<CallPipelines>();
        Dictionary<string, CallResilienceOptions> none = [];
        host.Call.CircuitBreaker.Isolate();
        calls.Apply(new(true, none));
        await Should.ThrowAsync<RefusedException>(async () => await pipeline.ExecuteAsync(_ => ValueTask.FromResult(1), Token));
        calls.Apply(new(false, none));
        (await pipeline.ExecuteAsync(_ => ValueTask.FromResult(1), Token)).ShouldBe(1);
        calls.Apply(new(true, none));
        await Should.ThrowAsync<RefusedException>(async () => await pipeline.ExecuteAsync(_ => ValueTask.FromResult(1), Token));
    }

    [Fact]
    public async Task Reload_Thresholds_KeepPipelineAndState()
    {
        using CallFixture host = new(Plain);
        var pipeline = host.Orders;
        var (call, breaker, bulkhead) = (host.Call, host.Call.CircuitBreaker, host.Call.Bulkhead);
        await Should.ThrowAsync<IOException>(async () => await pipeline.ExecuteAsync(_ => Fail(new IOException()), Token));
        var hanging = pipeline.ExecuteAsync(Hang, Token).AsTask();
        host.Reload(("orders:AttemptTimeout", "00:00:01"), ("orders:Bulkhead:MaxConcurrency", "1"), ("orders:CircuitBreaker:HalfOpenProbes", "7"));
        (host.Call, host.Call.CircuitBreaker, host.Call.Bulkhead).ShouldBe((call, breaker, bulkhead));
        host.Orders.ShouldBeSameAs(pipeline);
        (breaker.Snapshot().Failures, breaker.Policy.HalfOpenProbes, bulkhead.Limit, bulkhead.Snapshot().InFlight).ShouldBe((1, 7, 1, 1));
        (await Should.ThrowAsync<RefusedException>(async () => await pipeline.ExecuteAsync(_ => ValueTask.CompletedTask, Token))).Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);

        // What is on its way keeps what it began with.
        host.Time.Advance(TimeSpan.FromSeconds(9));
        hanging.IsCompleted.ShouldBeFalse();
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<TimeoutRejectedException>(hanging);
        Idle(host);
    }

    [Fact]
    public void Reload_AnotherNumberOfTheSame_LeavesThePlanOfOthersAlone()
    {
        using CallFixture host = new(Plain, ("other:Enabled", "true"));
        _ = host.Orders;
        var policy = host.Call.Policy;
        host.Reload(("other:AttemptTimeout", "00:00:01"));
        host.Call.Policy.ShouldBeSameAs(policy);
    }

    [Fact]
    public void Reload_NewName_IsThereFromThen()
    {
        using CallFixture host = new(Plain);
        host.Registry.TryGetPipeline("young", out _).ShouldBeFalse();
        host.Reload(("young:Enabled", "true"));
        host.Registry.GetPipeline("young").Execute(() => 1).ShouldBe(1);
    }

    [Fact]
    public void Get_ByKeyProviderOrOtherCase_IsTheRegistrysPipeline()
    {
        using CallFixture host = new(Plain);
        host.Services.GetRequiredKeyedService<ResiliencePipeline>("orders").ShouldBeSameAs(host.Orders);
        host.Services.GetRequiredService<ResiliencePipelineProvider<string>>().GetPipeline("orders").ShouldBeSameAs(host.Orders);
        host.Registry.GetPipeline("ORDERS").ShouldBeSameAs(host.Orders);
        Should.Throw<InvalidOperationException>(() => host.Services.GetRequiredKeyedService<ResiliencePipeline>("order")).Message
            .ShouldBe("There is no resilience pipeline 'order'. Names in configuration (Resilience:Calls): orders.");
        Should.Throw<KeyNotFoundException>(() => host.Registry.GetPipeline("order"));
    }

    [Theory]
    [InlineData("factory")]
    [InlineData("type")]
    [InlineData("instance")]
    public async Task Start_ApplicationsOwnRegistry_GetsThePipelines(string kind)
    {
        using ResiliencePipelineRegistry<string> own = new();
        own.TryAddBuilder("mine", (builder, _) => builder.AddTimeout(TimeSpan.FromSeconds(1)));
        using CallFixture host = new(
            services => _ = kind switch
            {
                "factory" => services.AddSingleton(_ => own),
                "type" => services.AddSingleton<ResiliencePipelineRegistry<string>>(),
                _ => services.AddSingleton(own),
            },
            Plain);
        await StartAsync(host);
        host.Orders.Execute(() => 1).ShouldBe(1);
        host.Registry.TryGetPipeline("mine", out _).ShouldBe(kind != "type");
        await StartAsync(host);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_NameOfTheApplicationsOwnPipeline_IsAnError(bool hasBuilder)
    {
        using ResiliencePipelineRegistry<string> own = new();
        _ = hasBuilder ? own.TryAddBuilder("orders", (_, _) => { }) : own.GetOrAddPipeline("orders", _ => { }) is null;
        using CallFixture host = new(services => services.AddSingleton(own), Plain);
        (await Should.ThrowAsync<InvalidOperationException>(async () => await StartAsync(host))).Message.ShouldContain("Resilience:Calls): orders.");
    }

    [Fact]
    public async Task Start_PipelinesOfPollyExtensionsAddedLater_IsAnErrorRatherThanTheirLoss()
    {
        ServiceCollection late = [];
        using ConfigurationManager configuration = new();
        late.AddResilienceLayers(configuration);
        late.Configure<ConfigureResiliencePipelineRegistryOptions<string>>(_ => { });
        await using var provider = late.BuildServiceProvider();
        Should.Throw<InvalidOperationException>(() => provider.GetRequiredService<ResiliencePipelineRegistry<string>>()).Message.ShouldContain("Call AddResilienceLayers after");
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task StartAsync(CallFixture host) => new CallsStartup(host.Services).StartingAsync(Token);

    private static InboundCall Serve(InboundCall inbound)
    {
        InboundCall.Current = inbound;
        return inbound;
    }

    private static void Idle(CallFixture host)
    {
        var snapshot = host.Call.Bulkhead.Snapshot();
        (snapshot.InFlight, snapshot.Queued, host.Time.ArmedTimers).ShouldBe((0, 0, 0));
    }

    private ValueTask Fail(Exception exception)
    {
        _calls++;
        throw exception;
    }

    private async ValueTask Hang(CancellationToken token)
    {
        _calls++;
        await new TaskCompletionSource().Task.WaitAsync(token);
    }
}

/// <summary>As Polly.Extensions calls its own.</summary>
internal sealed class ConfigureResiliencePipelineRegistryOptions<TKey>;
