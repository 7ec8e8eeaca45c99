using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

public sealed partial class GuardedResponseBodyTests
{
    [Fact]
    public async Task StreamAndWriter_KeptBeyondDetach_AreDisposed()
    {
        var guard = Attach();
        var (stream, writer) = (Response.Body, Response.BodyWriter);
        await stream.WriteAsync("text"u8.ToArray());

        guard.Detach();

        Should.Throw<ObjectDisposedException>(() => stream.Write("late"u8));
        Should.Throw<ObjectDisposedException>(() => stream.Flush());
        Should.Throw<ObjectDisposedException>(() => stream.Length);
        await Should.ThrowAsync<ObjectDisposedException>(() => stream.WriteAsync("late"u8.ToArray(), 0, 4, CancellationToken.None));
        Should.Throw<ObjectDisposedException>(() => writer.Write("late"u8));
        Should.Throw<ObjectDisposedException>(() => writer.Advance(1));
        await Should.ThrowAsync<ObjectDisposedException>(async () => await writer.FlushAsync());
        await Should.ThrowAsync<ObjectDisposedException>(() => guard.StartAsync());
        await Should.ThrowAsync<ObjectDisposedException>(() => guard.CompleteAsync());
        await Should.ThrowAsync<ObjectDisposedException>(() => guard.SendFileAsync("late.txt", 0, null));
        stream.Dispose();
        _server.Sent.ShouldBe("text");
        _server.Completions.ShouldBe(0);
    }

    [Fact]
    public async Task LateWriterOfAFailure_CannotWriteIntoTheFallback()
    {
        var guard = Attach();
        var late = Response.BodyWriter;
        Response.StatusCode = 503;
        await Response.WriteAsync("failure");
        guard.Detach();

        await Response.WriteAsync("fall");
        Should.Throw<ObjectDisposedException>(() => late.Write("late"u8));
        await Response.WriteAsync("back");

        _server.Sent.ShouldBe("fallback");
    }

    [Fact]
    public async Task LateWriterOfAFailure_CannotWriteIntoTheNextRequest()
    {
        var guard = Attach();
        var late = Response.Body;
        Response.StatusCode = 503;
        await Response.WriteAsync("failure");
        guard.Detach();
        _server.NextRequest();

        var next = Attach();
        Should.Throw<ObjectDisposedException>(() => late.Write("late"u8));
        await Response.WriteAsync("next");
        next.Detach();

        next.ShouldNotBeSameAs(guard);
        _server.Sent.ShouldBe("next");
    }

    [Fact]
    public void LateWriterOfAnEndpointThatWasGivenUpOn_CannotWriteIntoTheNextRequest()
    {
        var guard = Attach();
        var late = Response.Body;
        guard.Detach(mayBeHeld: true);
        _server.NextRequest();

        Attach();

        Should.Throw<ObjectDisposedException>(() => late.Write("late"u8));
        _server.Sent.ShouldBeEmpty();
    }

    [Fact]
    public void Guard_OfAFailureThatAskedForNothing_ServesTheNextRequest()
    {
        var guard = Attach();
        guard.Detach(mayBeHeld: true);
        _server.NextRequest();

        Attach().ShouldBeSameAs(guard);
    }

    [Fact]
    public async Task FeatureHeldByAFailureThatAskedForNothing_CannotWriteIntoTheFallbackOrTheNextRequest()
    {
        var guard = Attach();
        var held = Context.Features.Get<IHttpResponseBodyFeature>().ShouldNotBeNull();
        held.ShouldBeSameAs(guard);
        guard.Detach(mayBeHeld: true);
        var fallbacks = GuardedResponseBody.Attach(Context, replacesFailures: true, tap: null, GuardedAnswer.Substitute).ShouldNotBeNull();

        var late = held.Writer;
        Should.Throw<ObjectDisposedException>(() => late.Write("late"u8));
        await Response.WriteAsync("fallback");
        fallbacks.Detach();

        fallbacks.ShouldNotBeSameAs(guard);
        _server.Sent.ShouldBe("fallback");
        _server.NextRequest();
        var next = Attach();
        next.ShouldNotBeSameAs(guard);
        next.ShouldNotBeSameAs(fallbacks);
        Should.Throw<ObjectDisposedException>(() => late.Write("late"u8));
        await Response.WriteAsync("next");
        _server.Sent.ShouldBe("next");
    }

    [Theory]
    [InlineData("stream")]
    [InlineData("start")]
    [InlineData("complete")]
    [InlineData("buffering")]
    public async Task Guard_KeptAndAskedBetweenRequests_IsNotUsedAgain(string what)
    {
        var guard = Attach();
        guard.Detach(mayBeHeld: true);
        await Should.ThrowAsync<ObjectDisposedException>(async () =>
        {
            switch (what)
            {
                case "stream":
                    guard.Stream.Write("late"u8);
                    break;
                case "start":
                    await guard.StartAsync();
                    break;
                case "complete":
                    await guard.CompleteAsync();
                    break;
                default:
                    guard.DisableBuffering();
                    break;
            }
        });
        _server.NextRequest();

        Attach().ShouldNotBeSameAs(guard);
    }

    [Fact]
    public void Guard_OfAFailureThatLeftSomethingBeforeIt_IsNotUsedAgain()
    {
        var guard = Attach();
        Response.Body = new MemoryStream();
        guard.Detach(mayBeHeld: true);
        _server.NextRequest();

        Attach().ShouldNotBeSameAs(guard);
    }

    [Fact]
    public void Guard_OfAnEndpoint_NeverServesAFallback()
    {
        var guard = Attach();
        guard.Detach();

        var other = GuardedResponseBody.Attach(Context, replacesFailures: true, tap: null, GuardedAnswer.Substitute).ShouldNotBeNull();
        other.ShouldNotBeSameAs(guard);
        other.Detach();

        Attach().ShouldBeSameAs(guard);
    }

    [Fact]
    public void Guard_OfOneConnection_NeverServesAnother()
    {
        var other = new GuardedServer();
        var guard = Attach();
        var late = Response.Body;
        guard.Detach();

        var others = GuardedResponseBody.Attach(other.Context, replacesFailures: true, tap: null).ShouldNotBeNull();

        others.ShouldNotBeSameAs(guard);
        Should.Throw<ObjectDisposedException>(() => late.Write("late"u8));
        other.Sent.ShouldBeEmpty();
    }

    [Fact]
    public void Guard_OfABodyThatMiddlewareMade_IsUsedOnce()
    {
        Response.Body = new MemoryStream();
        var guard = Attach();
        guard.Detach();

        Attach().ShouldNotBeSameAs(guard);
    }

    [Fact]
    public void Detach_MiddlewareForgotToUnwrap_PutsTheOriginalBack()
    {
        var guard = Attach();
        Response.Body = new MemoryStream();

        guard.Detach();

        Context.Features.Get<IHttpResponseBodyFeature>().ShouldBeSameAs(_server);
        Response.Body.ShouldBeSameAs(_server.Stream);
    }

    [Fact]
    public void Detach_Twice_LeavesAlonePuttingOfOthers()
    {
        var guard = Attach();
        guard.Detach();
        var buffer = new MemoryStream();
        Response.Body = buffer;

        guard.Detach();

        Response.Body.ShouldBeSameAs(buffer);
    }

    [Fact]
    public async Task NestedGuards_InnerDiverts_OuterSeesTheFallback()
    {
        var outer = Attach();
        var inner = Attach();
        Response.StatusCode = 503;
        await Response.WriteAsync("failure");
        inner.Detach();

        Response.StatusCode = 200;
        await Response.WriteAsync("fallback");
        outer.Detach();

        (inner.HasReplaced, outer.HasReplaced).ShouldBe((true, false));
        _server.Sent.ShouldBe("fallback");
        Context.Features.Get<IHttpResponseBodyFeature>().ShouldBeSameAs(_server);
    }

    [Fact]
    public async Task NestedGuards_DetachedInTheWrongOrder_LeaveTheServersBody()
    {
        var outer = Attach();
        var inner = Attach();

        outer.Detach();
        inner.Detach();

        Context.Features.Get<IHttpResponseBodyFeature>().ShouldBeSameAs(_server);
        await Response.WriteAsync("text");
        _server.Sent.ShouldBe("text");
    }

    [Fact]
    public void Attach_RequestWithoutABody_IsNone() =>
        GuardedResponseBody.Attach(new DefaultHttpContext(new FeatureCollection()), replacesFailures: true, tap: null).ShouldBeNull();

    [Fact]
    public void LateWrites_RacingDetach_ReachOnlyWhatTheyWereMeantFor()
    {
        for (var round = 0; round < 300; round++)
        {
            var server = new GuardedServer();
            var guard = GuardedResponseBody.Attach(server.Context, replacesFailures: true, tap: null).ShouldNotBeNull();
            var stream = server.Context.Response.Body;
            server.StatusCode = round % 2 == 0 ? 503 : 200;
            using var barrier = new Barrier(2);
            Exception? seen = null;
            var late = new Thread(() =>
            {
                barrier.SignalAndWait();
                try
                {
                    for (var write = 0; write < 200; write++)
                    {
                        stream.Write("x"u8);
                    }
                }
                catch (Exception exception)
                {
                    seen = exception;
                }
            });
            late.Start();

            barrier.SignalAndWait();
            guard.Detach(mayBeHeld: true);
            late.Join();

            (seen is null or ObjectDisposedException).ShouldBeTrue(seen?.ToString());
            if (round % 2 == 0)
            {
                server.Sent.ShouldBeEmpty();
            }
        }
    }

    [Fact]
    public void Guard_FromTheSecondRequestOn_AllocatesNothing()
    {
        var payload = Encoding.UTF8.GetBytes("text");
        Allocated(attach: true).ShouldBe(Allocated(attach: false));

        long Allocated(bool attach) => AllocatedBytes.LeastOf(() =>
        {
            for (var call = 0; call < 200; call++)
            {
                var guard = attach ? Attach() : null;
                Response.BodyWriter.Write(payload);
                var flush = Response.BodyWriter.FlushAsync();
                flush.IsCompletedSuccessfully.ShouldBeTrue();
                var write = Response.Body.WriteAsync(payload);
                write.IsCompletedSuccessfully.ShouldBeTrue();
                guard?.Detach();
                _server.NextRequest();
            }
        });
    }

    [Fact]
    public void Guard_OfAContextThatIsUsedAgain_AllocatesNothing()
    {
        var context = new DefaultHttpContext();
        AllocatedBytes.LeastOf(() =>
        {
            for (var call = 0; call < 200; call++)
            {
                GuardedResponseBody.Attach(context, replacesFailures: true, tap: null)!.Detach();
            }
        }).ShouldBe(0);
    }

    [Fact]
    public void Guard_OfAConnectionThatIsGone_IsGoneToo()
    {
        var (server, guard) = Use();

        for (var attempt = 0; attempt < 5 && (server.IsAlive || guard.IsAlive); attempt++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        (server.IsAlive, guard.IsAlive).ShouldBe((false, false));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static (WeakReference Server, WeakReference Guard) Use()
        {
            var server = new GuardedServer();
            var guard = GuardedResponseBody.Attach(server.Context, replacesFailures: true, tap: null)!;
            guard.Detach();
            return (new WeakReference(server), new WeakReference(guard));
        }
    }
}
