using ResilientHost.Hosting;
using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Timeouts;

public sealed partial class RequestTimeoutTests
{
    [Fact]
    public void Timer_LaterDeadlines_AreArmedOnceForAll()
    {
        var (clock, timeout) = ByHand();
        for (var request = 0; request < 100; request++)
        {
            Begin(timeout, clock, TimedRequest.Time);
            clock.Pass(Tick);
            timeout.End();
        }

        clock.Changes.ShouldBe([TimedRequest.Time]);
    }

    [Fact]
    public void Timer_EarlierDeadline_IsArmedAgain()
    {
        var (clock, timeout) = ByHand();
        Begin(timeout, clock, TimeSpan.FromDays(1));
        timeout.End();
        Begin(timeout, clock, TimedRequest.Time);
        timeout.End();
        Begin(timeout, clock, TimeSpan.FromHours(1));

        clock.Changes.ShouldBe([TimeSpan.FromDays(1), TimedRequest.Time]);
        timeout.End();
    }

    [Fact]
    public void Timer_OfAnEndedRequest_ComesForTheRestOfTheNextOne()
    {
        var (clock, timeout) = ByHand();
        Begin(timeout, clock, TimedRequest.Time);
        clock.Pass(TimedRequest.Time / 2);
        timeout.End();
        var next = Begin(timeout, clock, TimedRequest.Time);
        clock.Pass(TimedRequest.Time / 2);
        clock.Fire();

        timeout.HasFired.ShouldBeFalse();
        clock.Changes.ShouldBe([TimedRequest.Time, TimedRequest.Time / 2]);
        clock.Pass(TimedRequest.Time / 2);
        clock.Fire();

        timeout.End().ShouldBeTrue();
        next.Told.ShouldBe(["expired"]);
    }

    [Fact]
    public void Timer_LateAndTwice_FiresOnce()
    {
        var (clock, timeout) = ByHand();
        var request = Begin(timeout, clock, TimedRequest.Time);
        clock.Pass(TimedRequest.Time);
        clock.Fire();
        clock.Fire();
        clock.Fire();

        request.Told.ShouldBe(["expired"]);
        timeout.End();
    }

    [Fact]
    public void Timer_ComesEarly_WaitsForTheRestInWholeMilliseconds()
    {
        var (clock, timeout) = ByHand();
        Begin(timeout, clock, TimedRequest.Time);
        clock.Pass(TimedRequest.Time - TimeSpan.FromTicks(3));
        clock.Fire();

        timeout.HasFired.ShouldBeFalse();
        clock.Changes[^1].ShouldBe(Tick);
        timeout.End();
    }

    [Fact]
    public void Timer_AfterTheLastRequest_RestsUntilTheNextOne()
    {
        var (clock, timeout) = ByHand();
        Begin(timeout, clock, TimedRequest.Time);
        timeout.End();
        clock.Pass(TimedRequest.Time);
        clock.Fire();
        clock.Changes.Count.ShouldBe(1);

        var next = Begin(timeout, clock, TimedRequest.Time);
        clock.Changes.Count.ShouldBe(2);
        clock.Pass(TimedRequest.Time);
        clock.Fire();

        timeout.End().ShouldBeTrue();
        next.Told.ShouldBe(["expired"]);
    }

    [Fact]
    public void Timer_LongerThanTimersAre_IsWaitedForInParts()
    {
        var (clock, timeout) = ByHand();
        Begin(timeout, clock, TimeSpan.FromDays(60));
        clock.Changes.ShouldBe([TimeSpan.FromDays(1)]);
        clock.Pass(TimeSpan.FromDays(1));
        clock.Fire();

        timeout.HasFired.ShouldBeFalse();
        clock.Changes.Count.ShouldBe(2);
        timeout.End();
    }

    [Fact]
    public void Timer_MadeInsideARequest_DoesNotCarryItsContext()
    {
        var ambient = new AsyncLocal<string?> { Value = "first request" };
        using var timeout = New();
        ambient.Value = "second request";
        string? seen = "not called";
        _request.WhenExpired = () => seen = ambient.Value;
        _request.Begin(timeout, _clock);
        _time.Advance(TimedRequest.Time);

        timeout.End();
        seen.ShouldNotBe("first request");
    }

    [Fact]
    public void Dispose_TimerArmed_StopsIt()
    {
        _request.Begin(_timeout, _clock);
        _timeout.End();
        _time.ArmedTimers.ShouldBe(1);
        _timeout.Dispose();

        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public void End_WhileTheTimerAborts_WaitsUntilItHas()
    {
        var (ended, endedWhileAborting) = (EndOnAnotherThread(), true);
        _request.Server.WhenAborted = () => endedWhileAborting = RunUntilItWaits(ended);
        _request.Begin(_timeout, _clock);
        _time.Advance(TimedRequest.Time + TimedRequest.Grace);
        ended.Join();

        (endedWhileAborting, _request.Server.Aborts, _request.LateTouches).ShouldBe((false, 1, 0));
    }

    [Fact]
    public void End_WhileTheTimerLooksAtTheResponse_WaitsAndTheRequestWasInTime()
    {
        var (ended, endedWhileLooking) = (EndOnAnotherThread(), true);
        _request.Response.WhenAsked = () => endedWhileLooking = RunUntilItWaits(ended);
        _request.Begin(_timeout, _clock);
        var token = _request.Context.RequestAborted;
        _time.Advance(TimedRequest.Time);
        ended.Join();
        _request.Response.WhenAsked = null;
        _time.Advance(TimeSpan.FromDays(1));

        (endedWhileLooking, _request.LateTouches, _timeout.HasFired, token.IsCancellationRequested).ShouldBe((false, 0, false, false));
        _request.Told.ShouldBeEmpty();
        _request.Context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestLifetimeFeature>().ShouldBe(_request.Server);
    }

    [Fact]
    public void End_WhileTheTimerLooksAtTheResponseAtTheEndOfTheGrace_IsNoOverrun()
    {
        var ended = EndOnAnotherThread();
        _request.Begin(_timeout, _clock);
        _time.Advance(TimedRequest.Time);
        _request.Response.WhenAsked = () => RunUntilItWaits(ended);
        _time.Advance(TimedRequest.Grace);
        ended.Join();

        (_timeout.HasFired, _timeout.HasOverrun, _request.Server.Aborts, _request.LateTouches).ShouldBe((true, false, 0, 0));
        _request.Told.ShouldBe(["expired"]);
    }

    [Fact]
    public void End_BetweenTellingAndAborting_AbortsInTheTimersStead()
    {
        _request.WhenOverrun = () =>
        {
            _timeout.End().ShouldBeTrue();
            _request.BeOver();
        };
        _request.Begin(_timeout, _clock);
        _time.Advance(TimedRequest.Time + TimedRequest.Grace);

        (_request.Server.Aborts, _timeout.HasOverrun, _request.LateTouches).ShouldBe((1, true, 0));
    }

    [Fact]
    public void End_InsideTheServersAbort_DoesNotHang()
    {
        // A server that cancels its token where it stands runs the rest of the request there.
        var end = false;
        _request.Server.WhenAborted = () => end = _timeout.End();
        _request.Begin(_timeout, _clock);
        _time.Advance(TimedRequest.Time + TimedRequest.Grace);

        (end, _request.Server.Aborts).ShouldBe((true, 1));
    }

    [Fact]
    public void End_InsideACancellationCallback_IsThatOfAnObedientEndpoint()
    {
        var end = false;
        _request.Begin(_timeout, _clock);
        _request.Context.RequestAborted.Register(() =>
        {
            end = _timeout.End();
            _request.BeOver();
        });
        _time.Advance(TimeSpan.FromDays(1));

        (end, _request.Server.Aborts, _request.LateTouches, _time.ArmedTimers).ShouldBe((true, 0, 0, 0));
    }

    [Fact]
    public void Listener_Throws_StopsNeitherTheTokenNorTheAbort()
    {
        _request.WhenExpired = _request.WhenOverrun = () => throw new InvalidOperationException("listener");
        _request.Begin(_timeout, _clock);
        var token = _request.Context.RequestAborted;
        Should.NotThrow(() => _time.Advance(TimedRequest.Time + TimedRequest.Grace));

        (token.IsCancellationRequested, _request.Server.Aborts).ShouldBe((true, 1));
        _timeout.End();
    }

    [Fact]
    public void ServerFeatures_Throw_ReachNobody()
    {
        _request.Server.WhenAborted = () => throw new InvalidOperationException("server");
        _request.Begin(_timeout, _clock);
        Should.NotThrow(() => _time.Advance(TimedRequest.Time + TimedRequest.Grace));
        _timeout.End().ShouldBeTrue();

        var other = new TimedRequest { Response = { WhenAsked = () => throw new ObjectDisposedException("response") } };
        using var timeout = New();
        other.Begin(timeout, _clock);
        Should.NotThrow(() => _time.Advance(TimeSpan.FromDays(1)));
        timeout.End().ShouldBeFalse();
        other.Told.ShouldBeEmpty();
    }

    [Fact]
    public void CancellationCallback_Throws_DoesNotStopTheGrace()
    {
        _request.Begin(_timeout, _clock);
        _request.Context.RequestAborted.Register(() => throw new InvalidOperationException("endpoint"));
        Should.NotThrow(() => _time.Advance(TimedRequest.Time + TimedRequest.Grace));

        _request.Told.ShouldBe(["expired", "overrun"]);
        _timeout.End().ShouldBeTrue();
    }

    [Fact]
    public void CancellationCallback_Blocks_DelaysNeitherTheGraceNorTheEnd()
    {
        using var blocked = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        _request.Begin(_timeout, _clock);
        _request.Context.RequestAborted.Register(() =>
        {
            blocked.Set();
            release.Wait();
        });
        var firing = new Thread(() => _time.Advance(TimedRequest.Time));
        firing.Start();
        blocked.Wait();
        _time.Advance(TimedRequest.Time + TimedRequest.Grace);

        _request.Told.ShouldBe(["expired", "overrun"]);
        _timeout.End().ShouldBeTrue();
        _request.BeOver();
        release.Set();
        firing.Join();
        (_request.Server.Aborts, _request.LateTouches).ShouldBe((1, 0));
    }

    private static TimedRequest Begin(RequestTimeout timeout, HandTimers clock, TimeSpan time)
    {
        var request = new TimedRequest();
        timeout.Begin(request.Context, time, TimedRequest.Grace, clock.GetTimestamp(), request);
        return request;
    }

    private static (HandTimers Clock, RequestTimeout Timeout) ByHand()
    {
        var clock = new HandTimers();
        return (clock, new RequestTimeout(new MonotonicClock(clock), static () => false));
    }

    private Thread EndOnAnotherThread() => new(() =>
    {
        _timeout.End();
        _request.BeOver();
    });

    // Whether it ran to its end without waiting for anybody.
    private static bool RunUntilItWaits(Thread thread)
    {
        thread.Start();
        SpinWait.SpinUntil(() => !thread.IsAlive || thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
        return !thread.IsAlive;
    }
}
