using System.Diagnostics;
using System.Net;
using ResilientHost.Outbound;
using ResilientHost.Propagation;

namespace ResilientHost.Tests.Outbound;

public sealed class HedgingTests : IDisposable
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(100);

    private readonly HedgingUpstream _upstream = new();
    private AttemptsUnderTest _under = new(options => options.Hedging.Delay = Delay);

    public void Dispose() => _under.Dispose();

    [Fact]
    public async Task Call_AnsweredBeforeTheDelay_IsSentOnce()
    {
        var call = Send();
        (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
        using var response = await call;
        _under.Time.Advance(TimeSpan.FromHours(1));
        _upstream.Received.ShouldBe(1);
        await NothingHeldAsync();
    }

    [Fact]
    public async Task SlowCall_GetsASecondAttempt_AndTheFirstGoodAnswer()
    {
        var call = Send();
        var first = await _upstream.NextAsync();
        _under.Time.Advance(Delay - TimeSpan.FromMilliseconds(1));
        _upstream.Received.ShouldBe(1);
        _under.Time.Advance(TimeSpan.FromMilliseconds(1));
        var second = await _upstream.NextAsync();
        second.Request.ShouldNotBeSameAs(first.Request);
        second.Header("Resilience-Attempt").ShouldBe("2");
        second.Header("X-Own").ShouldBe("kept");
        second.Answer(HttpStatusCode.OK);
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        first.Token.IsCancellationRequested.ShouldBeTrue();
        _under.Metrics.Sum("resilient_host.outbound.hedges").ShouldBe(1);
        await NothingHeldAsync();
    }

    [Fact]
    public async Task Loser_ThatIgnoresItsCancellation_DoesNotHoldUpTheAnswer_AndIsDisposedWhenItComes()
    {
        _upstream.HeedsTokens = false;
        var call = Send();
        var first = await _upstream.NextAsync();
        _under.Time.Advance(Delay);
        (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var late = first.AnswerLate();
        await late.Disposed;
        await NothingHeldAsync();
    }

    [Fact]
    public async Task FailedAttempt_MakesTheNextBeginAtOnce()
    {
        var call = Send();
        var failed = (await _upstream.NextAsync()).Answer(HttpStatusCode.ServiceUnavailable);
        (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        await failed.Disposed;
        await NothingHeldAsync();
    }

    [Theory]
    [InlineData(2, 10, 2)]
    [InlineData(60, 4, 4)]
    public async Task FailedAttempt_ThatSaysWhenToComeBack_MakesTheNextBeginThen(int asked, int most, int expected)
    {
        Use(options => (options.Hedging.Delay, options.Retry.MaxRetryAfter) = (Delay, TimeSpan.FromSeconds(most)));
        var call = Send();
        var failed = (await _upstream.NextAsync()).Answer(HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(asked));
        await NextWaitsAsync();
        _under.Time.Advance(TimeSpan.FromSeconds(expected) - TimeSpan.FromMilliseconds(1));
        _upstream.Received.ShouldBe(1);
        _under.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        await failed.Disposed;
        await NothingHeldAsync();
    }

    [Fact]
    public async Task FailedAttempt_ThatSaysWhenToComeBackThoughThatIsNotHeeded_MakesTheNextBeginAtOnce()
    {
        Use(options => (options.Hedging.Delay, options.Retry.MaxRetryAfter) = (Delay, TimeSpan.Zero));
        var call = Send();
        (await _upstream.NextAsync()).Answer(HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(2));
        (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task FailedAttempt_ThatSaysToComeBackAfterTheCallsTime_IsTheAnswer()
    {
        Use(options => (options.Hedging.Delay, options.TotalTimeout) = (Delay, TimeSpan.FromSeconds(2)));
        var call = Send();
        (await _upstream.NextAsync()).Answer(HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(2));
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        _upstream.Received.ShouldBe(1);
        _under.Authority.Budget.Spent.ShouldBe(0);
        await NothingHeldAsync();
    }

    [Fact]
    public async Task HedgeThatIsToldWhenToComeBack_LeavesTheFirstAttemptTheTime_AndHoldsTheNextBack()
    {
        Use(options => (options.Hedging.Delay, options.Hedging.MaxAttempts) = (Delay, 3));
        var call = Send();
        var first = await _upstream.NextAsync();
        _under.Time.Advance(Delay);
        (await _upstream.NextAsync()).Answer(HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(3));
        await NextWaitsAsync(hedges: 2);
        _under.Time.Advance(TimeSpan.FromSeconds(2));
        _upstream.Received.ShouldBe(2);
        first.Answer(HttpStatusCode.OK);
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        await NothingHeldAsync();
        _under.Authority.Budget.Spent.ShouldBe(1, "the third was never sent");
    }

    [Fact]
    public async Task Caller_ThatLeavesWhileTheNextAttemptWaits_GetsItsBudgetBack()
    {
        using var leaving = new CancellationTokenSource();
        var call = Send(cancellationToken: leaving.Token);
        var failed = (await _upstream.NextAsync()).Answer(HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(2));
        await NextWaitsAsync();
        await leaving.CancelAsync();
        (await Should.ThrowAsync<OperationCanceledException>(call)).CancellationToken.ShouldBe(leaving.Token);
        await failed.Disposed;
        await NothingHeldAsync();
        _under.Authority.Budget.Spent.ShouldBe(0);
        _upstream.Received.ShouldBe(1);
    }

    [Fact]
    public async Task AllAttemptsFailed_GivesTheFirstFailure_AndDisposesTheOthers()
    {
        var call = Send();
        (await _upstream.NextAsync()).Answer(HttpStatusCode.ServiceUnavailable);
        var second = (await _upstream.NextAsync()).Answer(HttpStatusCode.InternalServerError);
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await second.Disposed;
        _upstream.Received.ShouldBe(2);
        await NothingHeldAsync();
    }

    [Fact]
    public async Task AllAttemptsFailed_PrefersAnAnswerToAnException()
    {
        var call = Send();
        (await _upstream.NextAsync()).Fail(new HttpRequestException(HttpRequestError.ConnectionError));
        (await _upstream.NextAsync()).Answer(HttpStatusCode.InternalServerError);
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
    }

    [Fact]
    public async Task AllAttemptsFailed_WithoutAnAnswer_ThrowsTheFirst()
    {
        var first = new HttpRequestException(HttpRequestError.ConnectionError);
        var call = Send();
        (await _upstream.NextAsync()).Fail(first);
        (await _upstream.NextAsync()).Fail(new HttpRequestException(HttpRequestError.ResponseEnded));
        (await Should.ThrowAsync<HttpRequestException>(call)).ShouldBeSameAs(first);
        await NothingHeldAsync();
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    public async Task SlowCall_OfAMethodThatIsNotSafe_IsSentOnce(string method)
    {
        var call = Send(method);
        var first = await _upstream.NextAsync();
        _under.Time.Advance(TimeSpan.FromSeconds(5));
        _upstream.Received.ShouldBe(1);
        first.Answer(HttpStatusCode.OK);
        using var response = await call;
    }

    [Fact]
    public async Task SlowCall_WithoutBudget_IsSentOnce_WhateverTheDelay()
    {
        Use(options =>
        {
            options.Hedging.Delay = TimeSpan.Zero;
            options.Retry.Budget = 0;
            options.Retry.BudgetFloor = 0;
        });
        var call = Send();
        var first = await _upstream.NextAsync();
        _under.Time.Advance(TimeSpan.FromSeconds(5));
        _upstream.Received.ShouldBe(1);
        first.Answer(HttpStatusCode.OK);
        using var response = await call;
        _under.Metrics.Sum("resilient_host.outbound.budget_exhausted").ShouldBe(1);
    }

    [Fact]
    public async Task SlowCall_WithADelayOfZero_GetsAllItsAttemptsAtOnce()
    {
        Use(options =>
        {
            options.Hedging.Delay = TimeSpan.Zero;
            options.Hedging.MaxAttempts = 3;
        });
        var call = Send();
        await _upstream.NextAsync();
        await _upstream.NextAsync();
        (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
        using var response = await call;
        _upstream.Received.ShouldBe(3);
        await NothingHeldAsync();
    }

    [Fact]
    public async Task RefusedHedge_DoesNotBeatTheFirstAttempt_AndGivesItsBudgetBack()
    {
        Use(options =>
        {
            options.Hedging.Delay = Delay;
            options.Bulkhead.MaxConcurrency = 1;
            options.Retry.Budget = 0;
            options.Retry.BudgetFloor = 1;
        });
        var call = Send();
        var first = await _upstream.NextAsync();
        _under.Time.Advance(Delay);
        await _under.Metrics.WaitForAsync(measured => measured.Instrument == "resilient_host.outbound.attempts", TimeSpan.FromSeconds(20));
        call.IsCompleted.ShouldBeFalse();
        first.Answer(HttpStatusCode.OK);
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        _upstream.Received.ShouldBe(1);
        _under.Authority.Budget.TryWithdraw().ShouldBeTrue();
    }

    [Fact]
    public async Task Quantile_OfKnownLatencies_IsWhenTheSecondAttemptBegins()
    {
        Use(options =>
        {
            options.Hedging.Quantile = 0.9;
            options.Hedging.Delay = TimeSpan.FromSeconds(9);
        });
        for (var i = 0; i < 100; i++)
        {
            _under.Authority.Latency.Record(TimeSpan.FromMilliseconds(100));
        }

        var call = Send();
        await _upstream.NextAsync();
        _under.Time.Advance(TimeSpan.FromMilliseconds(95));
        _upstream.Received.ShouldBe(1);
        _under.Time.Advance(TimeSpan.FromMilliseconds(30));
        (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
        using var response = await call;
    }

    [Fact]
    public async Task Quantile_OfUnknownLatencies_IsTheDelay()
    {
        Use(options =>
        {
            options.Hedging.Quantile = 0.9;
            options.Hedging.Delay = TimeSpan.FromSeconds(2);
        });
        var call = Send();
        await _upstream.NextAsync();
        _under.Time.Advance(TimeSpan.FromSeconds(1.9));
        _upstream.Received.ShouldBe(1);
        _under.Time.Advance(TimeSpan.FromSeconds(0.1));
        (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
        using var response = await call;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Quantile_OfUnknownLatenciesWithoutADelay_HedgesNothing()
    {
        Use(options => options.Hedging.Quantile = 0.9);
        var call = Send();
        var first = await _upstream.NextAsync();
        _under.Time.Advance(TimeSpan.FromSeconds(9));
        _upstream.Received.ShouldBe(1);
        first.Answer(HttpStatusCode.OK);
        using var response = await call;
    }

    [Fact]
    public async Task Caller_ThatLeaves_EndsAllAttempts_AndTheCallAtOnce()
    {
        _upstream.HeedsTokens = false;
        using var caller = new CancellationTokenSource();
        var call = Send(cancellationToken: caller.Token);
        var first = await _upstream.NextAsync();
        _under.Time.Advance(Delay);
        var second = await _upstream.NextAsync();
        await caller.CancelAsync();
        (await Should.ThrowAsync<OperationCanceledException>(call)).CancellationToken.ShouldBe(caller.Token);
        first.Token.IsCancellationRequested.ShouldBeTrue();
        second.Token.IsCancellationRequested.ShouldBeTrue();
        await first.AnswerLate().Disposed;
        await second.AnswerLate().Disposed;
        await NothingHeldAsync();
    }

    [Fact]
    public async Task CallTimeout_EndsAllAttempts()
    {
        Use(options =>
        {
            options.Hedging.Delay = Delay;
            options.TotalTimeout = TimeSpan.FromSeconds(1);
        });
        var call = Send();
        await _upstream.NextAsync();
        _under.Time.Advance(Delay);
        await _upstream.NextAsync();
        _under.Time.Advance(TimeSpan.FromSeconds(1));
        (await Should.ThrowAsync<OutboundRefusedException>(call)).Refusal.Reason.ShouldBe(RefusalReason.Timeout);
        _upstream.Received.ShouldBe(2);
        await NothingHeldAsync();
    }

    [Fact]
    public async Task Hedge_IsAnEventOnTheCallersSpan()
    {
        using var caller = new Activity("caller").Start();
        caller.IsAllDataRequested = true;
        var call = Send();
        await _upstream.NextAsync();
        _under.Time.Advance(Delay);
        (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
        using var response = await call;
        caller.Events.ShouldHaveSingleItem().Name.ShouldBe("outbound.hedged");
        Activity.Current.ShouldBe(caller);
    }

    [Fact]
    public async Task AnswersSideBySide_LeaveNothingHeld_AndDisposeAllButOne()
    {
        _upstream.HeedsTokens = false;
        Use(options =>
        {
            options.Hedging.Delay = TimeSpan.Zero;
            options.Hedging.MaxAttempts = 3;
            options.Retry.BudgetFloor = 1_000_000;
        });
        for (var i = 0; i < 200; i++)
        {
            var call = Send();
            var attempts = new[] { await _upstream.NextAsync(), await _upstream.NextAsync(), await _upstream.NextAsync() };
            var bodies = await Task.WhenAll(attempts.Select((attempt, place) => Task.Run(() => attempt.Answer(place == i % 3 ? HttpStatusCode.BadGateway : HttpStatusCode.OK))));
            (await call).Dispose();
            await Task.WhenAll(bodies.Select(body => body.Disposed)).WaitAsync(TimeSpan.FromSeconds(20));
        }

        await NothingHeldAsync();
    }

    [Fact]
    public async Task Hedge_OfARequestWithHeadersOfTheApplicationsOwn_LeavesThemToo()
    {
        Use(options => (options.IsPeer, options.Hedging.Delay) = (true, Delay));
        InboundCall.Current = new() { CallersDeadline = _under.Time.GetTimestamp() + TimeSpan.FromSeconds(9).Ticks, Criticality = Criticality.Sheddable };
        var request = new HttpRequestMessage(HttpMethod.Get, AttemptsUnderTest.Address) { Headers = { { PropagationHeaders.Deadline, "77" }, { PropagationHeaders.Criticality, "critical" } } };
        var call = Send(request);
        var first = await _upstream.NextAsync();
        _under.Time.Advance(Delay);
        var second = await _upstream.NextAsync();
        (first.Header(PropagationHeaders.Deadline), first.Header(PropagationHeaders.Criticality)).ShouldBe(("77", "critical"));
        (second.Header(PropagationHeaders.Deadline), second.Header(PropagationHeaders.Criticality)).ShouldBe(("77", "critical"));
        second.Answer(HttpStatusCode.OK);
        using var response = await call;
    }

    [Fact]
    public async Task Latencies_OfGoodAttempts_AreKnownOnceAndFailuresNotAtAll()
    {
        Use(options => (options.Hedging.Quantile, options.Retry.BudgetFloor) = (0.9, 1000));
        for (var i = 0; i < LatencyQuantile.Minimum - 1; i++)
        {
            var good = Send();
            (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
            (await good).Dispose();
            var failing = Send();
            (await _upstream.NextAsync()).Answer(HttpStatusCode.InternalServerError);
            (await _upstream.NextAsync()).Answer(HttpStatusCode.InternalServerError);
            (await failing).Dispose();
            _under.Client.CircuitBreaker.Reset();
        }

        _under.Authority.Latency.Quantile(0.5).ShouldBeNull();
        var last = Send();
        (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
        (await last).Dispose();
        _under.Authority.Latency.Quantile(0.5).ShouldNotBeNull();
    }

    [Fact]
    public async Task Latencies_OfLosers_AreKnownToo()
    {
        Use(options => (options.Hedging.Quantile, options.Hedging.Delay, options.Retry.BudgetFloor) = (0.9, Delay, 1000));
        for (var i = 0; i < LatencyQuantile.Minimum / 2; i++)
        {
            var call = Send();
            await _upstream.NextAsync();
            _under.Time.Advance(Delay);
            (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
            (await call).Dispose();
        }

        _under.Authority.Latency.Quantile(0.9).ShouldNotBeNull().ShouldBeGreaterThanOrEqualTo(Delay);
    }

    [Fact]
    public async Task Latencies_WhereNoQuantileIsAskedFor_AreNotKept()
    {
        for (var i = 0; i < 2 * LatencyQuantile.Minimum; i++)
        {
            var call = Send();
            (await _upstream.NextAsync()).Answer(HttpStatusCode.OK);
            (await call).Dispose();
        }

        _under.Authority.Latency.Quantile(0.5).ShouldBeNull();
    }

    private void Use(Action<HttpClientResilienceOptions> configure)
    {
        _under.Dispose();
        _under = new(configure);
    }

    private Task<HttpResponseMessage> Send(string method = "GET", CancellationToken cancellationToken = default)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), AttemptsUnderTest.Address) { Headers = { { "X-Own", "kept" } } };
        return Send(request, cancellationToken);
    }

    private Task<HttpResponseMessage> Send(HttpRequestMessage request, CancellationToken cancellationToken = default) =>
        new HttpMessageInvoker(new ResilienceHandler(_under.Client, _under.Services, new()) { InnerHandler = _upstream }).SendAsync(request, cancellationToken);

    // Begun, and not sent: its wait is armed on a thread of the pool. With the first attempt still under way, the timer of that one stands beside it.
    private async Task NextWaitsAsync(int hedges = 1)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        for (var i = 0; i < 4000 && (_under.Metrics.Sum("resilient_host.outbound.hedges") < hedges || _under.Time.ArmedTimers != hedges); i++)
        {
            await pace.WaitForNextTickAsync();
        }

        _under.Time.ArmedTimers.ShouldBe(hedges);
    }

    // Losers end on a thread of their own, and a delay that is cancelled says so before it gives its timer back.
    private async Task NothingHeldAsync()
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        for (var i = 0; i < 4000 && (_under.Authority.Bulkhead.Snapshot().InFlight > 0 || _under.Time.ArmedTimers > 0); i++)
        {
            await pace.WaitForNextTickAsync();
        }

        _under.Authority.Bulkhead.Snapshot().InFlight.ShouldBe(0);
        _under.Time.ArmedTimers.ShouldBe(0);
    }
}
