using Polly;
using Polly.Timeout;
using ResilientHost.Propagation;

namespace ResilientHost.Tests.Calls;

/// <summary>Whose time a call was cut by, and what that says about the dependency.</summary>
public sealed class CallDeadlineTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly CallFixture _host = new(("orders:AttemptTimeout", "00:00:05"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Execute_CallersDeadlineCutsIt_IsRefusedForTheDeadlineAndCountsNothing()
    {
        Serve(callersTime: Second);
        var call = _host.Orders.ExecuteAsync(Hang, Token).AsTask();
        _host.Time.Advance(Second);
        var refused = await Should.ThrowAsync<RefusedException>(call);
        refused.Refusal.ShouldBe(new Refusal(RefusalReason.DeadlineExceeded, "call:orders", null));
        refused.InnerException.ShouldBeOfType<TimeoutRejectedException>();
        _host.Call.CircuitBreaker.Snapshot().Calls.ShouldBe(0);
    }

    [Fact]
    public async Task Execute_EndpointsTimeCutsIt_IsRefusedForTheDeadlineAndCountsAsAFailure()
    {
        Serve(callersTime: 2 * Second, endpointsTime: Second);
        var call = _host.Orders.ExecuteAsync(Hang, Token).AsTask();
        _host.Time.Advance(Second);
        (await Should.ThrowAsync<RefusedException>(call)).Refusal.Reason.ShouldBe(RefusalReason.DeadlineExceeded);
        _host.Call.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Execute_OwnTimeoutBeforeTheDeadline_IsATimeoutOfItsOwn(int callersSeconds)
    {
        Serve(callersTime: callersSeconds * Second);
        var call = _host.Orders.ExecuteAsync(Hang, Token).AsTask();
        _host.Time.Advance(5 * Second);

        // For one moment, the deadline: the call could not have been made again, and its caller is gone.
        (await Should.ThrowAsync<ExecutionRejectedException>(call)).ShouldBeOfType(callersSeconds == 5 ? typeof(RefusedException) : typeof(TimeoutRejectedException));
        _host.Call.CircuitBreaker.Snapshot().Failures.ShouldBe(callersSeconds == 5 ? 0 : 1);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task Execute_CallersTokenCancelledAsATimeIsOver_CountsAsAFailureWhereItWasTheEndpoints(bool isEndpoints, int failures)
    {
        // As the endpoint's RequestAborted: its timer is the older one.
        using CancellationTokenSource aborted = new(Second, _host.Time);
        Serve(callersTime: isEndpoints ? null : Second, endpointsTime: isEndpoints ? Second : null);
        var call = _host.Orders.ExecuteAsync(Hang, aborted.Token).AsTask();
        _host.Time.Advance(Second);
        await Should.ThrowAsync<OperationCanceledException>(call);
        var counted = _host.Call.CircuitBreaker.Snapshot();
        (counted.Calls, counted.Failures).ShouldBe((failures, failures));
    }

    [Fact]
    public async Task Execute_CallerLeavesWithinTheEndpointsTime_CountsNothing()
    {
        using CancellationTokenSource leaving = new();
        Serve(endpointsTime: Second);
        var call = _host.Orders.ExecuteAsync(Hang, leaving.Token).AsTask();
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(call);
        _host.Call.CircuitBreaker.Snapshot().Calls.ShouldBe(0);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task Execute_LayerFurtherInFindsTheDeadlineOver_CountsAsIfItHadItself(bool isEndpoints, int failures)
    {
        Serve(callersTime: isEndpoints ? null : Second, endpointsTime: isEndpoints ? Second : null);
        OutboundRefusedException late = new(new(RefusalReason.DeadlineExceeded, "http:pricing", null));
        (await Should.ThrowAsync<OutboundRefusedException>(async () => await _host.Orders.ExecuteAsync(_ => throw late, Token))).ShouldBeSameAs(late);
        _host.Call.CircuitBreaker.Snapshot().Failures.ShouldBe(failures);
    }

    private static async ValueTask Hang(CancellationToken token) => await new TaskCompletionSource().Task.WaitAsync(token);

    private void Serve(TimeSpan? callersTime = null, TimeSpan? endpointsTime = null)
    {
        InboundCall inbound = new() { CallersDeadline = callersTime is { } callers ? _host.Time.GetTimestamp() + callers.Ticks : long.MaxValue };
        if (endpointsTime is { } endpoints)
        {
            inbound.BeginEndpoint(_host.Time.GetTimestamp() + endpoints.Ticks);
        }

        InboundCall.Current = inbound;
    }
}
