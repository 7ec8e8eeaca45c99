using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Timeouts;

public sealed partial class RequestTimeoutTests
{
    [Fact]
    public void Token_AskedTwice_IsTheSame()
    {
        _request.Begin(_timeout, _clock);

        _request.Context.RequestAborted.ShouldBe(_request.Context.RequestAborted);
        _request.Server.TokensAsked.ShouldBe(1);
        _timeout.End();
    }

    [Fact]
    public void Token_ClientLeaves_IsCancelled()
    {
        _request.Begin(_timeout, _clock);
        var token = _request.Context.RequestAborted;
        _request.Server.LoseClient();

        token.IsCancellationRequested.ShouldBeTrue();
        _timeout.End().ShouldBeFalse();
    }

    [Fact]
    public void Token_AskedAfterTheClientLeft_IsCancelled()
    {
        _request.Server.LoseClient();
        _request.Begin(_timeout, _clock);

        _request.Context.RequestAborted.IsCancellationRequested.ShouldBeTrue();
        _timeout.End().ShouldBeFalse();
    }

    [Fact]
    public void Token_AskedAfterTheTimeoutFired_IsCancelled()
    {
        _request.Begin(_timeout, _clock);
        _time.Advance(TimedRequest.Time);

        _request.Context.RequestAborted.IsCancellationRequested.ShouldBeTrue();
        _timeout.End();
    }

    [Fact]
    public void Token_OfAnEarlierRequest_IsNeverCancelledByALaterOne()
    {
        _request.Begin(_timeout, _clock);
        var background = _request.Context.RequestAborted;
        _timeout.End();
        _timeout.MayBeReused.ShouldBeTrue();
        var next = new TimedRequest();
        next.Begin(_timeout, _clock);
        var token = next.Context.RequestAborted;
        next.Server.LoseClient();
        _request.Server.LoseClient();
        _time.Advance(TimeSpan.FromDays(1));

        token.IsCancellationRequested.ShouldBeTrue();
        background.IsCancellationRequested.ShouldBeFalse();
        token.ShouldNotBe(background);
        _timeout.End();
    }

    [Fact]
    public void Token_KeptBeyondTheRequest_IsUsable()
    {
        _request.Begin(_timeout, _clock);
        var token = _request.Context.RequestAborted;
        _timeout.End();

        Should.NotThrow(() =>
        {
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(token);
            token.Register(() => { }).Dispose();
            token.ThrowIfCancellationRequested();
        });
    }

    [Fact]
    public void Token_AfterTheEnd_HoldsNothingOnTheServers()
    {
        _request.Begin(_timeout, _clock);
        var calls = 0;
        _request.Context.RequestAborted.Register(() => calls++);
        _timeout.End();
        _request.Server.LoseClient();

        calls.ShouldBe(0);
    }

    [Fact]
    public void Token_SetByMiddleware_IsSeenAndGoneWithTheRequest()
    {
        using var own = new CancellationTokenSource();
        _request.Begin(_timeout, _clock);
        var given = _request.Context.RequestAborted;
        _request.Context.RequestAborted = own.Token;
        _request.Context.RequestAborted.ShouldBe(own.Token);
        _request.Context.RequestAborted = given;
        _request.Context.RequestAborted.ShouldBe(given);
        _request.Context.RequestAborted = own.Token;
        _time.Advance(TimedRequest.Time - Tick);
        _timeout.End();

        _request.Context.RequestAborted.ShouldBe(_request.Server.RequestAborted);
        var next = new TimedRequest();
        next.Begin(_timeout, _clock);
        next.Context.RequestAborted.ShouldNotBe(own.Token);
        _timeout.End();
    }

    [Fact]
    public void Token_LinkedByMiddleware_IsStillReachedByTheTimeout()
    {
        _request.Begin(_timeout, _clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(_request.Context.RequestAborted);
        _request.Context.RequestAborted = linked.Token;
        _time.Advance(TimedRequest.Time);

        _request.Context.RequestAborted.IsCancellationRequested.ShouldBeTrue();
        _timeout.End().ShouldBeTrue();
    }

    [Fact]
    public void Token_AskedForWhileTheRequestEnds_KeepsTheInstanceFromTheNextOne()
    {
        // A background task that asks while the request ends would put its token into the next request.
        var request = new TimedRequest();
        var server = new AskedLifetime(() =>
        {
            _timeout.End();
            _timeout.MayBeReused.ShouldBeFalse();
        });
        request.Context.Features.Set<Microsoft.AspNetCore.Http.Features.IHttpRequestLifetimeFeature>(server);
        request.Begin(_timeout, _clock);
        _ = _timeout.RequestAborted;

        _timeout.MayBeReused.ShouldBeFalse();
    }

    [Theory]
    [InlineData("elsewhere")]
    [InlineData("after the endpoint has waited")]
    public async Task Token_AskedForByAnotherThreadThanTheEndpoints_IsStillCounted(string where)
    {
        var request = new TimedRequest();
        request.Context.Features.Set<Microsoft.AspNetCore.Http.Features.IHttpRequestLifetimeFeature>(new AskedLifetime(() =>
        {
            _timeout.End();
            _timeout.MayBeReused.ShouldBeFalse();
        }));
        request.Begin(_timeout, _clock);
        _timeout.Stay();
        if (where == "elsewhere")
        {
            await Task.Factory.StartNew(() => _timeout.RequestAborted, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        else
        {
            _timeout.Leave();
            _ = _timeout.RequestAborted;
        }

        _timeout.MayBeReused.ShouldBeFalse();
    }

    [Fact]
    public void Token_OfTheEndpointsThread_IsThatOfItsRequestAndOver()
    {
        _request.Begin(_timeout, _clock);
        _timeout.Stay();
        var token = _timeout.RequestAborted;
        token.ShouldBe(_request.Context.RequestAborted);
        _request.Server.LoseClient();
        token.IsCancellationRequested.ShouldBeTrue();
        _timeout.End();

        _timeout.MayBeReused.ShouldBeTrue();
        _timeout.RequestAborted.CanBeCanceled.ShouldBeFalse();
    }

    [Fact]
    public void Stay_UnderADebugger_LeavesTheInstanceWithoutARequest()
    {
        using var timeout = New(static () => true);
        _request.Begin(timeout, _clock);
        timeout.Stay();

        timeout.RequestAborted.CanBeCanceled.ShouldBeFalse();
    }

    [Fact]
    public void Feature_KeptBeyondTheRequest_IsDead()
    {
        _request.Begin(_timeout, _clock);
        _timeout.End();
        _request.BeOver();
        _timeout.Abort();

        _timeout.RequestAborted.CanBeCanceled.ShouldBeFalse();
        (_request.Server.Aborts, _request.LateTouches).ShouldBe((0, 0));
    }

    private sealed class AskedLifetime(Action whenAsked) : Microsoft.AspNetCore.Http.Features.IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted
        {
            get
            {
                whenAsked();
                return CancellationToken.None;
            }

            set => throw new NotSupportedException();
        }

        public void Abort() => throw new NotSupportedException();
    }
}
