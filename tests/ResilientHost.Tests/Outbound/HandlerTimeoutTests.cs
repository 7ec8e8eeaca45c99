using System.Net;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Propagation;
using static ResilientHost.Tests.Outbound.HandlerTransport;

namespace ResilientHost.Tests.Outbound;

public class HandlerTimeoutTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task Attempt_ThatTakesTooLong_IsMadeAgainAndCountsAsFailed()
    {
        await using var fixture = new HandlerFixture(new(Hanging, Answering(HttpStatusCode.OK)), o => (o.AttemptTimeout, o.Retry.Delay) = (TimeSpan.FromSeconds(1), TimeSpan.Zero));
        fixture.CountTimersFromHere();

        var sending = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(1));

        (await sending).StatusCode.ShouldBe(HttpStatusCode.OK);
        fixture.Authority.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Attempts_ThatAllTakeTooLong_EndAsATimeoutOfTheClient()
    {
        await using var fixture = new HandlerFixture(new(Hanging), o => (o.AttemptTimeout, o.Retry.MaxAttempts) = (TimeSpan.FromSeconds(1), 1));
        fixture.CountTimersFromHere();

        var sending = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(1) - Tick);
        sending.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(Tick);

        var refused = await Should.ThrowAsync<OutboundRefusedException>(sending);
        refused.Refusal.ShouldBe(new Refusal(RefusalReason.Timeout, "http:pricing", null));
        refused.InnerException.ShouldBeOfType<TimeoutException>();
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Total_IsOverInTheSecondAttempt_EndsTheCall()
    {
        await using var fixture = new HandlerFixture(
            new(Answering(HttpStatusCode.ServiceUnavailable), Hanging), o => (o.TotalTimeout, o.AttemptTimeout, o.Retry.Delay) = (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2)));
        fixture.CountTimersFromHere();

        var sending = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(2));
        await fixture.Transport.Arrival(2);
        fixture.Time.Advance(TimeSpan.FromSeconds(1));

        (await Should.ThrowAsync<OutboundRefusedException>(sending)).Refusal.Reason.ShouldBe(RefusalReason.Timeout);
        fixture.Transport.Attempts.ShouldBe(2);
        fixture.ShouldHoldNothing();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Caller_CancelsAnAttempt_GetsItsOwnTokenBackAndNothingIsCounted(bool asTransportError)
    {
        using var source = new CancellationTokenSource();
        await using var fixture = new HandlerFixture(new(async (request, token) =>
        {
            try
            {
                return await Hanging(request, token);
            }
            catch (OperationCanceledException) when (asTransportError)
            {
                throw new HttpRequestException("The connection was aborted.", new IOException());
            }
        }));
        fixture.CountTimersFromHere();

        var sending = fixture.GetAsync(source.Token);
        await source.CancelAsync();

        var cancelled = await Should.ThrowAsync<OperationCanceledException>(sending);
        cancelled.CancellationToken.ShouldBe(source.Token);
        fixture.Transport.Attempts.ShouldBe(1);
        fixture.Authority.CircuitBreaker.Snapshot().Calls.ShouldBe(0);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Caller_CancelsBetweenAttempts_TheAnswerInHandIsDisposedAndTheBudgetRepaid()
    {
        using var source = new CancellationTokenSource();
        var held = new ObservedContent();
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.ServiceUnavailable, r => r.Content = held)));
        fixture.CountTimersFromHere();

        var sending = fixture.GetAsync(source.Token);
        fixture.Authority.Budget.Spent.ShouldBe(1);
        await source.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(sending);
        held.Disposals.ShouldBe(1);
        fixture.Authority.Budget.Spent.ShouldBe(0);
        fixture.Transport.Attempts.ShouldBe(1);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Caller_CancelledBefore_NothingIsSentNorCounted()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.OK)));

        await Should.ThrowAsync<OperationCanceledException>(fixture.GetAsync(new(canceled: true)));

        fixture.Transport.Attempts.ShouldBe(0);
        fixture.Authority.Budget.Calls.ShouldBe(0);
    }

    [Fact]
    public async Task Queue_LeftByItsCaller_HoldsNothing()
    {
        using var source = new CancellationTokenSource();
        await using var fixture = new HandlerFixture(new(Hanging), o => (o.Bulkhead.MaxConcurrency, o.Bulkhead.QueueLength, o.Bulkhead.QueueTimeout) = (1, 1, TimeSpan.FromMinutes(1)));
        fixture.CountTimersFromHere();
        using var first = new CancellationTokenSource();
        var inside = fixture.GetAsync(first.Token);

        var waiting = fixture.GetAsync(source.Token);
        fixture.Authority.Bulkhead.Snapshot().Queued.ShouldBe(1);
        await source.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(waiting);
        await first.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(inside);
        fixture.Transport.Attempts.ShouldBe(1);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Queue_LongerThanTheTotal_EndsTheCallWithoutAFailureOfTheDependency()
    {
        using var first = new CancellationTokenSource();
        await using var fixture = new HandlerFixture(new(Hanging), o =>
        {
            (o.Bulkhead.MaxConcurrency, o.Bulkhead.QueueLength, o.Bulkhead.QueueTimeout) = (1, 1, TimeSpan.FromMinutes(10));
            o.AttemptTimeout = TimeSpan.FromSeconds(30);
        });
        fixture.CountTimersFromHere();
        var inside = fixture.SendAsync(HttpMethod.Get, resilience: new() { TotalTimeout = Timeout.InfiniteTimeSpan, AttemptTimeout = TimeSpan.FromHours(1) }, cancellationToken: first.Token);

        var waiting = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(30));

        (await Should.ThrowAsync<OutboundRefusedException>(waiting)).Refusal.Reason.ShouldBe(RefusalReason.Timeout);
        fixture.Authority.CircuitBreaker.Snapshot().Failures.ShouldBe(0);
        await first.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(inside);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Queue_ThatMoves_GivesTheAttemptItsWholeTime()
    {
        var answer = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var fixture = new HandlerFixture(new((_, _) => answer.Task, Hanging), o =>
        {
            (o.Bulkhead.MaxConcurrency, o.Bulkhead.QueueLength, o.Bulkhead.QueueTimeout) = (1, 1, TimeSpan.FromMinutes(10));
            (o.AttemptTimeout, o.Retry.MaxAttempts) = (TimeSpan.FromSeconds(10), 1);
        });
        var inside = fixture.GetAsync();
        var waiting = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(9));
        answer.SetResult(HandlerFixture.Answer(HttpStatusCode.OK));
        await inside;
        await fixture.Transport.Arrival(2);

        fixture.Time.Advance(TimeSpan.FromSeconds(9));
        waiting.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<OutboundRefusedException>(waiting);
    }

    [Fact]
    public async Task Answer_AfterTheTimeout_IsStillAnAnswer()
    {
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        await using var fixture = new HandlerFixture(new((_, _) => answer.Task), o => o.AttemptTimeout = TimeSpan.FromSeconds(1));
        fixture.CountTimersFromHere();

        var sending = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(2));
        sending.IsCompleted.ShouldBeFalse();
        fixture.Authority.Bulkhead.Snapshot().InFlight.ShouldBe(1);
        answer.SetResult(HandlerFixture.Answer(HttpStatusCode.OK));

        (await sending).StatusCode.ShouldBe(HttpStatusCode.OK);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task ConnectTimeout_ThatComesAsACancellation_IsAFailureAndMadeAgain()
    {
        await using var fixture = new HandlerFixture(
            new(Throwing(new TaskCanceledException("A connection could not be established.", new TimeoutException())), Answering(HttpStatusCode.OK)), o => o.Retry.Delay = TimeSpan.Zero);

        (await fixture.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        fixture.Authority.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
    }

    [Fact]
    public async Task Handler_ThatThrowsOfItsOwn_IsNoFailureOfTheDependency()
    {
        var broken = new InvalidOperationException("No token.");
        await using var fixture = new HandlerFixture(new((_, _) => throw broken));
        fixture.CountTimersFromHere();

        (await Should.ThrowAsync<InvalidOperationException>(fixture.GetAsync())).ShouldBe(broken);

        fixture.Transport.Attempts.ShouldBe(1);
        fixture.Authority.CircuitBreaker.Snapshot().Calls.ShouldBe(0);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Handler_ThatReturnsNothing_IsNamed()
    {
        await using var fixture = new HandlerFixture(new((_, _) => Task.FromResult<HttpResponseMessage>(null!)), client: c => c.RemoveAllLoggers());
        fixture.CountTimersFromHere();

        (await Should.ThrowAsync<InvalidOperationException>(fixture.GetAsync())).Message.ShouldContain("pricing");

        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Deadline_ThatIsOver_NothingIsSent()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.OK)));
        fixture.Time.Advance(TimeSpan.FromSeconds(5));
        InboundCall.Current = new() { CallersDeadline = fixture.Time.GetTimestamp() };

        (await Should.ThrowAsync<OutboundRefusedException>(fixture.GetAsync())).Refusal.ShouldBe(new Refusal(RefusalReason.DeadlineExceeded, "http:pricing", null));

        fixture.Transport.Attempts.ShouldBe(0);
        fixture.Authority.Budget.Calls.ShouldBe(0);
    }

    [Fact]
    public async Task Deadline_InTheMiddle_EndsTheCallAsSuch()
    {
        await using var fixture = new HandlerFixture(new(Hanging));
        fixture.CountTimersFromHere();
        InboundCall.Current = new() { CallersDeadline = fixture.Time.GetTimestamp() + TimeSpan.FromSeconds(2).Ticks };

        var sending = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(2));

        (await Should.ThrowAsync<OutboundRefusedException>(sending)).Refusal.Reason.ShouldBe(RefusalReason.DeadlineExceeded);
        fixture.Transport.Attempts.ShouldBe(1);
        fixture.ShouldHoldNothing();
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(200, 30)]
    public async Task ClientsTimeout_WhereItIsShorter_BoundsTheCall(int client, int ends)
    {
        await using var fixture = new HandlerFixture(
            new(Hanging), o => (o.AttemptTimeout, o.Retry.MaxAttempts) = (TimeSpan.FromSeconds(30), 1), c => c.ConfigureHttpClient(made => made.Timeout = TimeSpan.FromSeconds(client)));
        fixture.Client.Timeout.ShouldBe(Timeout.InfiniteTimeSpan);

        var sending = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(ends) - Tick);
        sending.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(Tick);

        await Should.ThrowAsync<OutboundRefusedException>(sending);
    }

    [Fact]
    public async Task Request_ThatAsksForMoreTime_GetsIt()
    {
        await using var fixture = new HandlerFixture(new(Hanging));

        var sending = fixture.SendAsync(HttpMethod.Get, resilience: new() { TotalTimeout = Timeout.InfiniteTimeSpan, AttemptTimeout = TimeSpan.FromHours(2), MaxAttempts = 1 });
        fixture.Time.Advance(TimeSpan.FromHours(2) - Tick);
        sending.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(Tick);

        await Should.ThrowAsync<OutboundRefusedException>(sending);
    }

    [Fact]
    public async Task Request_ThatAsksForALongerTotalAlone_HasAttemptsThatFitIt()
    {
        await using var fixture = new HandlerFixture(new(Hanging), o => o.TotalTimeout = TimeSpan.FromSeconds(2));

        var sending = fixture.SendAsync(HttpMethod.Get, resilience: new() { TotalTimeout = TimeSpan.FromMinutes(1), MaxAttempts = 1 });
        fixture.Time.Advance(TimeSpan.FromSeconds(10) - Tick);
        sending.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(Tick);

        await Should.ThrowAsync<OutboundRefusedException>(sending);
    }

    [Fact]
    public async Task KillSwitch_PassesThroughUnderTheClientsOwnTimeout()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.ServiceUnavailable), Hanging), o => o.Enabled = false);
        fixture.CountTimersFromHere();
        (await fixture.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        fixture.Transport.Attempts.ShouldBe(1);

        var sending = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(100));

        (await Assert.ThrowsAsync<TaskCanceledException>(() => sending)).InnerException.ShouldBeOfType<TimeoutException>();
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Reload_InTheMiddle_LeavesTheCallWhatItBeganWith()
    {
        await using var fixture = new HandlerFixture(
            new(Answering(HttpStatusCode.ServiceUnavailable)), settings: new() { ["Resilience:HttpClients:pricing:Retry:MaxAttempts"] = "3" });

        var sending = fixture.GetAsync();
        fixture.Configuration["Resilience:HttpClients:pricing:Retry:MaxAttempts"] = "1";
        fixture.Configuration.Reload();
        fixture.Time.Advance(TimeSpan.FromMilliseconds(200));
        await fixture.Transport.Arrival(2);
        fixture.Time.Advance(TimeSpan.FromMilliseconds(400));
        await sending;
        fixture.Transport.Attempts.ShouldBe(3);

        fixture.State.Policy.Retry.MaxAttempts.ShouldBe(1);
        await fixture.GetAsync();
        fixture.Transport.Attempts.ShouldBe(4);
    }

    [Fact]
    public void Send_Synchronously_IsProtectedToo()
    {
        var fixture = new HandlerFixture(new(Answering(HttpStatusCode.ServiceUnavailable), Answering(HttpStatusCode.OK)), o => o.Retry.Delay = TimeSpan.Zero);

        using var response = fixture.Client.Send(new HttpRequestMessage(HttpMethod.Get, HandlerFixture.Address));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        fixture.State.Counts.Attempts.ShouldBe(2);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Resilience_OutOfBounds_NamesTheProperty()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.OK)));
        var request = new HttpRequestMessage(HttpMethod.Get, HandlerFixture.Address);

        Should.Throw<ArgumentOutOfRangeException>(() => request.WithResilience(new() { MaxAttempts = 0 })).Message.ShouldContain("MaxAttempts");
        Should.Throw<ArgumentOutOfRangeException>(() => request.WithResilience(new() { AttemptTimeout = TimeSpan.Zero })).Message.ShouldContain("AttemptTimeout");
        Should.Throw<ArgumentOutOfRangeException>(() => request.WithResilience(new() { AttemptTimeout = Timeout.InfiniteTimeSpan })).Message.ShouldContain("AttemptTimeout");
        Should.Throw<ArgumentOutOfRangeException>(() => request.WithResilience(new() { TotalTimeout = TimeSpan.FromDays(2) })).Message.ShouldContain("TotalTimeout");
        request.WithResilience(new() { TotalTimeout = Timeout.InfiniteTimeSpan, MaxAttempts = 10, AttemptTimeout = TimeSpan.FromDays(1) });
        request.Options.Set(RequestResilience.Key, new() { MaxAttempts = 11 });
        (await Should.ThrowAsync<ArgumentOutOfRangeException>(fixture.Client.SendAsync(request))).Message.ShouldContain("MaxAttempts");
    }
}
