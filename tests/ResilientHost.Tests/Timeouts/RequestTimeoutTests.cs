using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Hosting;
using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Timeouts;

public sealed partial class RequestTimeoutTests : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private readonly ManualTimeProvider _time = new();
    private readonly MonotonicClock _clock;
    private readonly RequestTimeout _timeout;
    private readonly TimedRequest _request = new();

    public RequestTimeoutTests()
    {
        _clock = new MonotonicClock(_time);
        _timeout = New();
    }

    public void Dispose() => _timeout.Dispose();

    [Fact]
    public void End_InTime_PutsTheServersFeatureBackAndTellsNothing()
    {
        _request.Begin(_timeout, _clock);
        _request.Context.Features.Get<IHttpRequestLifetimeFeature>().ShouldBe(_timeout);
        _time.Advance(TimedRequest.Time - Tick);

        _timeout.End().ShouldBeFalse();

        (_timeout.HasFired, _timeout.HasOverrun, _timeout.MayBeReused).ShouldBe((false, false, true));
        _request.Context.Features.Get<IHttpRequestLifetimeFeature>().ShouldBe(_request.Server);
        _time.Advance(TimeSpan.FromDays(2));
        _request.Told.ShouldBeEmpty();
        (_request.Server.Aborts, _request.Server.TokensAsked, _time.ArmedTimers).ShouldBe((0, 0, 0));
    }

    [Fact]
    public void Timeout_ReachedBeforeTheResponseStarts_CancelsTheEndpointsTokenAndNotTheServers()
    {
        _request.Begin(_timeout, _clock);
        var token = _request.Context.RequestAborted;
        _time.Advance(TimedRequest.Time - Tick);
        token.IsCancellationRequested.ShouldBeFalse();
        _time.Advance(Tick);

        token.IsCancellationRequested.ShouldBeTrue();
        _request.Server.RequestAborted.IsCancellationRequested.ShouldBeFalse();
        _timeout.HasFired.ShouldBeTrue();
        _timeout.End().ShouldBeTrue();
        _request.Context.RequestAborted.IsCancellationRequested.ShouldBeFalse("the answer is still to be written");
        _request.Told.ShouldBe(["expired"]);
    }

    [Fact]
    public void End_WithinTheGrace_AbortsNothing()
    {
        _request.Begin(_timeout, _clock);
        _time.Advance(TimedRequest.Time + TimedRequest.Grace - Tick);
        _timeout.End().ShouldBeTrue();
        _request.BeOver();
        _time.Advance(TimeSpan.FromDays(1));

        _request.Told.ShouldBe(["expired"]);
        (_request.Server.Aborts, _request.LateTouches, _time.ArmedTimers).ShouldBe((0, 0, 0));
        (_timeout.HasOverrun, _timeout.MayBeReused).ShouldBe((false, false));
    }

    [Fact]
    public void Grace_Over_TellsThenAbortsOnceAndWaitsForTheEndpoint()
    {
        var abortsWhenTold = -1;
        _request.WhenOverrun = () => abortsWhenTold = _request.Server.Aborts;
        _request.Begin(_timeout, _clock);
        _time.Advance(TimedRequest.Time + TimedRequest.Grace);

        (_timeout.HasFired, _timeout.HasOverrun, _request.Server.Aborts, abortsWhenTold).ShouldBe((true, true, 1, 0));
        _time.Advance(TimeSpan.FromDays(1));
        _request.Context.Features.Get<IHttpRequestLifetimeFeature>().ShouldBe(_timeout);
        _timeout.End().ShouldBeTrue();

        _request.Told.ShouldBe(["expired", "overrun"]);
        (_request.Server.Aborts, _timeout.HasOverrun, _timeout.MayBeReused, _time.ArmedTimers).ShouldBe((1, true, false, 0));
    }

    [Fact]
    public void Grace_CountsFromTheFiring_NotFromTheDeadline()
    {
        var clock = new HandTimers();
        using var timeout = new RequestTimeout(new MonotonicClock(clock));
        timeout.Begin(_request.Context, TimedRequest.Time, TimedRequest.Grace, clock.GetTimestamp(), _request);
        clock.Pass(TimedRequest.Time + TimeSpan.FromSeconds(10));
        clock.Fire();
        clock.Fire();
        timeout.HasOverrun.ShouldBeFalse("the endpoint had no time yet to see that it was cancelled");
        clock.Pass(TimedRequest.Grace);
        clock.Fire();

        timeout.HasOverrun.ShouldBeTrue();
        timeout.End();
    }

    [Fact]
    public void Timeout_AfterTheResponseStarted_DoesNothing()
    {
        _request.Begin(_timeout, _clock);
        var token = _request.Context.RequestAborted;
        _request.Response.IsStarted = true;
        _time.Advance(TimeSpan.FromDays(1));

        (token.IsCancellationRequested, _timeout.HasFired, _request.Server.Aborts, _time.ArmedTimers).ShouldBe((false, false, 0, 0));
        _timeout.End().ShouldBeFalse();
        _request.Told.ShouldBeEmpty();
        _timeout.MayBeReused.ShouldBeTrue();
    }

    [Fact]
    public void Grace_OverAfterTheResponseStarted_LeavesTheConnectionAlone()
    {
        _request.Begin(_timeout, _clock);
        _time.Advance(TimedRequest.Time);
        _request.Response.IsStarted = true;
        _time.Advance(TimeSpan.FromDays(1));

        _timeout.End().ShouldBeTrue();
        _request.Told.ShouldBe(["expired"]);
        (_timeout.HasOverrun, _request.Server.Aborts).ShouldBe((false, 0));
    }

    [Fact]
    public void Timeout_AfterTheClientLeft_IsNone()
    {
        _request.Begin(_timeout, _clock);
        _request.Server.LoseClient();
        _time.Advance(TimeSpan.FromDays(1));

        _timeout.End().ShouldBeFalse();
        _request.Told.ShouldBeEmpty();
        _request.Server.Aborts.ShouldBe(0);
    }

    [Fact]
    public void Begin_UnderADebugger_LeavesTheRequestAsItIs()
    {
        using var timeout = New(isDebugged: () => true);
        _request.Begin(timeout, _clock);
        _request.Context.Features.Get<IHttpRequestLifetimeFeature>().ShouldBe(_request.Server);
        _time.ArmedTimers.ShouldBe(0);

        timeout.End().ShouldBeFalse();
        timeout.MayBeReused.ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Debugger_AttachedMeanwhile_StopsTheTime(bool afterFiring)
    {
        var isDebugged = false;
        using var timeout = New(() => isDebugged);
        _request.Begin(timeout, _clock);
        _time.Advance(afterFiring ? TimedRequest.Time : TimeSpan.Zero);
        isDebugged = true;
        _time.Advance(TimeSpan.FromDays(1));

        timeout.End().ShouldBe(afterFiring);
        (timeout.HasOverrun, _request.Server.Aborts).ShouldBe((false, 0));
    }

    [Fact]
    public void Begin_DebuggerHasJustLeft_IsLimitedAgain()
    {
        var isDebugged = true;
        using var timeout = New(() => isDebugged);
        _request.Begin(timeout, _clock);
        timeout.End().ShouldBeFalse();
        isDebugged = false;
        _request.Begin(timeout, _clock);

        _time.Advance(TimedRequest.Time);

        timeout.End().ShouldBeTrue();
    }

    [Fact]
    public void Begin_ManyWithoutADebugger_LookForOneTenTimesASecond()
    {
        var looks = 0;
        using var timeout = New(() => ++looks == 0);
        for (var i = 0; i < 300; i++)
        {
            _request.Begin(timeout, _clock);
            timeout.End();
            _time.Advance(Tick);
        }

        looks.ShouldBe(3);
    }

    [Fact]
    public void Dispose_FeatureIsKept_LetsGoOfTheRequest()
    {
        var timeout = New();
        var left = Run(timeout);
        GC.Collect();

        left.TryGetTarget(out _).ShouldBeFalse();
        GC.KeepAlive(timeout);

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference<TimedRequest> Run(RequestTimeout timeout)
        {
            var request = new TimedRequest();
            request.Begin(timeout, _clock);
            _time.Advance(TimedRequest.Time);
            timeout.End().ShouldBeTrue();
            timeout.Dispose();
            return new(request);
        }
    }

    [Fact]
    public void WallClock_Jumps_ChangesNothing()
    {
        _request.Begin(_timeout, _clock);
        _time.SetUtcNow(DateTimeOffset.MaxValue.AddDays(-1));
        _time.Advance(TimedRequest.Time - Tick);
        _timeout.HasFired.ShouldBeFalse();
        _time.SetUtcNow(DateTimeOffset.MinValue.AddDays(1));
        _time.Advance(Tick);
        _timeout.HasFired.ShouldBeTrue();
        _timeout.End();
    }

    [Fact]
    public void Abort_ByTheEndpoint_IsTheServers()
    {
        _request.Begin(_timeout, _clock);
        _request.Context.Abort();

        _request.Server.Aborts.ShouldBe(1);
        _timeout.End().ShouldBeFalse();
        _timeout.HasOverrun.ShouldBeFalse();
    }

    [Fact]
    public void Request_WithoutServerFeatures_IsTimedAndLeftAsItWas()
    {
        var context = new DefaultHttpContext(new FeatureCollection());
        _timeout.Begin(context, TimedRequest.Time, TimedRequest.Grace, _clock.Timestamp(), _request);
        var token = context.RequestAborted;
        context.Abort();
        _time.Advance(TimedRequest.Time + TimedRequest.Grace);

        token.IsCancellationRequested.ShouldBeTrue();
        _timeout.End().ShouldBeTrue();
        context.Features.Get<IHttpRequestLifetimeFeature>().ShouldBeNull();
        _request.Told.ShouldBe(["expired", "overrun"]);
    }

    [Fact]
    public void Begin_Twice_IsAnError()
    {
        _request.Begin(_timeout, _clock);
        Should.Throw<InvalidOperationException>(() => new TimedRequest().Begin(_timeout, _clock));
        _timeout.End();
    }

    [Fact]
    public void Begin_AfterFiring_IsAnError()
    {
        _request.Begin(_timeout, _clock);
        _time.Advance(TimedRequest.Time);
        _timeout.End();

        Should.Throw<InvalidOperationException>(() => new TimedRequest().Begin(_timeout, _clock));
    }

    [Fact]
    public void End_WithoutBegin_IsFalse() => _timeout.End().ShouldBeFalse();

    [Fact]
    public void End_Twice_TouchesNothing()
    {
        _request.Begin(_timeout, _clock);
        _timeout.End();
        var other = new TimedRequest.ServerLifetime(_request);
        _request.Context.Features.Set<IHttpRequestLifetimeFeature>(other);

        _timeout.End().ShouldBeFalse();
        _request.Context.Features.Get<IHttpRequestLifetimeFeature>().ShouldBe(other);
    }

    [Fact]
    public void End_InsideFeatureLeftBehind_RestoresTheServersAndIsNotReused()
    {
        _request.Begin(_timeout, _clock);
        _request.Context.Features.Set<IHttpRequestLifetimeFeature>(new TimedRequest.ServerLifetime(_request));
        _timeout.End();

        _timeout.MayBeReused.ShouldBeFalse();
        _request.Context.Features.Get<IHttpRequestLifetimeFeature>().ShouldBe(_request.Server);
    }

    [Fact]
    public void Nested_InnerOverruns_AbortsTheServersOnce()
    {
        using var inner = New();
        _request.Begin(_timeout, _clock);
        var innerListener = new TimedRequest();
        inner.Begin(_request.Context, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(100), _clock.Timestamp(), innerListener);
        var token = _request.Context.RequestAborted;
        _time.Advance(TimeSpan.FromMilliseconds(200));

        (token.IsCancellationRequested, _timeout.RequestAborted.IsCancellationRequested, _request.Server.Aborts).ShouldBe((true, false, 1));
        inner.End().ShouldBeTrue();
        _timeout.End().ShouldBeFalse();
        _request.Context.Features.Get<IHttpRequestLifetimeFeature>().ShouldBe(_request.Server);
    }

    [Fact]
    public void Nested_OuterFires_CancelsTheInnerToken()
    {
        using var inner = New();
        _request.Begin(_timeout, _clock);
        inner.Begin(_request.Context, TimeSpan.FromDays(1), TimedRequest.Grace, _clock.Timestamp(), new TimedRequest());
        var token = _request.Context.RequestAborted;
        _time.Advance(TimedRequest.Time);

        token.IsCancellationRequested.ShouldBeTrue();
        inner.End().ShouldBeFalse();
        _timeout.End().ShouldBeTrue();
    }

    private RequestTimeout New(Func<bool>? isDebugged = null) => new(_clock, isDebugged ?? (static () => false));
}
