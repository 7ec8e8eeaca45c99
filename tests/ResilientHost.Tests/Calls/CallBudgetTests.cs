using Polly;
using ResilientHost.Propagation;

namespace ResilientHost.Tests.Calls;

/// <summary>What retries are paid for, and what is given back.</summary>
public sealed class CallBudgetTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly CallFixture _host = new(
        ("orders:Retry:MaxAttempts", "3"), ("orders:Retry:Delay", "00:00:01"), ("orders:Retry:Jitter", "0"), ("orders:CircuitBreaker:BreakDuration", "00:00:09"));

    private int _calls;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Execute_CallerLeavesDuringTheWait_GivesTheRetryBack()
    {
        using CancellationTokenSource leaving = new();
        var call = _host.Orders.ExecuteAsync(Fail, leaving.Token).AsTask();
        _host.Call.Budget.Spent.ShouldBe(1);
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(call);
        (_calls, _host.Call.Budget.Spent, _host.Time.ArmedTimers).ShouldBe((1, 0, 0));
    }

    [Fact]
    public async Task Execute_RetryRefused_GivesItBackAndSaysWhatFailedBefore()
    {
        var call = _host.Orders.ExecuteAsync(Fail, Token).AsTask();
        _host.Call.CircuitBreaker.ForceOpen(9 * Second);
        _host.Time.Advance(Second);
        var refused = await Should.ThrowAsync<RefusedException>(call);
        refused.Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
        refused.InnerException.ShouldBeOfType<IOException>();
        (_calls, _host.Call.Budget.Spent).ShouldBe((1, 0));
    }

    [Fact]
    public async Task Execute_CircuitOpenForLongerThanTheWait_GivesTheFailureAtOnce()
    {
        InboundCall inbound = new();
        InboundCall.Current = inbound;
        await Should.ThrowAsync<IOException>(async () => await _host.Orders.ExecuteAsync(
            _ =>
            {
                _host.Call.CircuitBreaker.ForceOpen(9 * Second);
                throw new IOException();
            },
            Token));
        (_host.Call.Budget.Spent, _host.Time.ArmedTimers, inbound.DependencyFailed).ShouldBe((0, 0, true));
    }

    [Fact]
    public async Task Execute_RetryMade_IsSpent()
    {
        var call = _host.Orders.ExecuteAsync(_ => ++_calls < 2 ? throw new IOException() : ValueTask.CompletedTask, Token).AsTask();
        _host.Time.Advance(Second);
        await call;
        (_calls, _host.Call.Budget.Spent, _host.Call.Budget.Calls).ShouldBe((2, 1, 1));
    }

    [Fact]
    public async Task Execute_RefusedByTheCircuit_BuysNoRetry()
    {
        _ = _host.Orders;
        _host.Call.CircuitBreaker.ForceOpen(9 * Second);
        await Should.ThrowAsync<RefusedException>(async () => await _host.Orders.ExecuteAsync(Fail, Token));
        _host.Call.Budget.Calls.ShouldBe(0);
    }

    private ValueTask Fail(CancellationToken token)
    {
        _calls++;
        throw new IOException();
    }
}
