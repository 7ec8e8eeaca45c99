using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

public sealed partial class GuardedResponseBodyTests
{
    [Theory]
    [MemberData(nameof(Beginnings))]
    public async Task Failure_HoweverItBegins_GoesNowhere(string beginning)
    {
        var guard = Attach();
        Response.StatusCode = 503;

        await Begin[beginning](Response);
        await Response.Body.WriteAsync("more"u8.ToArray());
        await Response.BodyWriter.FlushAsync();
        await Response.CompleteAsync();

        Response.HasStarted.ShouldBeFalse();
        guard.HasReplaced.ShouldBeTrue();
        guard.ReplacedStatusCode.ShouldBe(503);
        guard.Detach();
        await Response.WriteAsync("fallback");
        _server.Sent.ShouldBe("fallback");
        (_server.FilesSent, _server.Completions).ShouldBe((0, 0));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("POST")]
    public async Task Failure_WhateverTheMethod_IsForTheCallerOfAttachToDecide(string method)
    {
        Context.Request.Method = method;
        var guard = Attach();
        Response.StatusCode = 500;

        await Response.WriteAsync("text");

        guard.HasReplaced.ShouldBeTrue();
    }

    [Fact]
    public void MemoryTakenBeforeTheStatus_GoesNowhere()
    {
        var guard = Attach();
        var span = Response.BodyWriter.GetSpan(4);
        "text"u8.CopyTo(span);
        Response.StatusCode = 503;

        Response.BodyWriter.Advance(4);

        guard.HasReplaced.ShouldBeTrue();
        _server.Writer.UnflushedBytes.ShouldBe(0);
        Response.BodyWriter.UnflushedBytes.ShouldBe(0);
    }

    [Fact]
    public async Task MemoryTakenWhileFailing_ThenASuccess_IsPassedOn()
    {
        var guard = Attach();
        Response.StatusCode = 503;
        "text"u8.CopyTo(Response.BodyWriter.GetSpan(4));
        Response.BodyWriter.Advance(0);
        Response.StatusCode = 200;

        Response.BodyWriter.Advance(4);
        await Response.BodyWriter.FlushAsync();

        guard.HasReplaced.ShouldBeFalse();
        _server.Sent.ShouldBe("text");
    }

    [Fact]
    public async Task StartedFailure_WhoseStatusChanges_StaysDiverted()
    {
        var guard = Attach();
        Response.StatusCode = 503;
        await Response.StartAsync();
        Response.StatusCode = 200;

        await Response.WriteAsync("text");
        guard.Detach();

        guard.ReplacedStatusCode.ShouldBe(503);
        _server.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task StartedSuccess_WhoseStatusChanges_IsPassedOn()
    {
        var guard = Attach();
        await Response.StartAsync();
        _server.StatusCode = 503;

        await Response.WriteAsync("text");

        guard.HasReplaced.ShouldBeFalse();
        _server.Sent.ShouldBe("text");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    public void DivertedMemory_IsAsLargeAsAsked_AndNotTheServers(int sizeHint)
    {
        Attach();
        Response.StatusCode = 503;
        Response.Body.Flush();

        var memory = Response.BodyWriter.GetMemory(sizeHint);

        memory.Length.ShouldBeGreaterThanOrEqualTo(Math.Max(1, sizeHint));
        Response.BodyWriter.GetSpan(sizeHint).Length.ShouldBeGreaterThanOrEqualTo(Math.Max(1, sizeHint));
        Response.BodyWriter.Advance(memory.Length);
        _server.Writer.UnflushedBytes.ShouldBe(0);
    }

    [Fact]
    public void DivertedMegabytes_TakeTheScratchAndNoMoreThanIsKept()
    {
        Attach();
        Response.StatusCode = 503;
        var chunk = new byte[1024];
        Response.BodyWriter.Write(chunk);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var index = 0; index < 10_000; index++)
        {
            Response.BodyWriter.Write(chunk);
            Response.Body.Write(chunk);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(4 * GuardedResponseBody.MaxReplacedBytes);
    }

    [Fact]
    public void Diverted_EveryWayOfWriting_IsKeptInOrder()
    {
        var guard = Attach();
        Response.StatusCode = 503;
        "ab"u8.CopyTo(Response.BodyWriter.GetSpan(2));
        Response.BodyWriter.Advance(2);
        Response.BodyWriter.Write("cd"u8);
        Response.Body.Write("ef"u8);
        Response.Body.WriteByte((byte)'g');
        guard.Detach();

        guard.TakeReplaced().ShouldBe("abcdefg"u8.ToArray());
    }

    [Theory]
    [InlineData(GuardedResponseBody.MaxReplacedBytes, true)]
    [InlineData(GuardedResponseBody.MaxReplacedBytes + 1, false)]
    public void Diverted_UpToTheLimit_IsKept(int bytes, bool isKept)
    {
        var guard = Attach();
        Response.StatusCode = 503;
        Response.Body.Write(new byte[bytes]);
        guard.Detach();

        (guard.TakeReplaced() is not null).ShouldBe(isKept);
    }

    [Fact]
    public async Task Diverted_File_IsNotKept()
    {
        var guard = Attach();
        Response.StatusCode = 503;
        await guard.SendFileAsync("any", 0, null);
        guard.Detach();

        guard.TakeReplaced().ShouldBeNull();
    }

    [Fact]
    public async Task DivertedWriter_WhoseTokenIsCancelled_IsToldSo()
    {
        Attach();
        Response.StatusCode = 503;
        Response.Body.Flush();
        var cancelled = new CancellationToken(canceled: true);

        await Should.ThrowAsync<OperationCanceledException>(async () => await Response.BodyWriter.FlushAsync(cancelled));
        await Should.ThrowAsync<OperationCanceledException>(async () => await Response.Body.WriteAsync(new byte[1], cancelled));
        await Should.ThrowAsync<OperationCanceledException>(() => Response.Body.FlushAsync(cancelled));
        (await Response.BodyWriter.FlushAsync()).ShouldBe(new FlushResult(isCanceled: false, isCompleted: false));
    }

    [Fact]
    public void DivertedBufferOfOuterMiddleware_IsLeftAlone()
    {
        using var buffer = new MemoryStream();
        buffer.Write("outer"u8);
        Response.Body = buffer;
        var guard = Attach();
        Response.StatusCode = 500;
        Response.Body.Write("text"u8);

        Response.Body.SetLength(0);
        Response.Body.Seek(0, SeekOrigin.Begin).ShouldBe(0);
        Response.Body.Position = 0;
        (Response.Body.Length, Response.Body.Position).ShouldBe((0, 0));
        Response.Body.Dispose();
        guard.Detach();

        Encoding.UTF8.GetString(buffer.ToArray()).ShouldBe("outer");
    }

    [Fact]
    public async Task BodyReplacedInsideAndRevertedProperly_IsDivertedWhenItsCopyIsWritten()
    {
        var guard = Attach();
        var body = Response.Body;
        using var buffer = new MemoryStream();
        Response.Body = buffer;
        Response.StatusCode = 502;
        await Response.WriteAsync("text");
        guard.HasReplaced.ShouldBeFalse();

        Response.Body = body;
        buffer.Position = 0;
        await buffer.CopyToAsync(body);

        Context.Features.Get<IHttpResponseBodyFeature>().ShouldBeSameAs(guard);
        guard.ReplacedStatusCode.ShouldBe(502);
    }

    [Fact]
    public async Task BufferOfOuterMiddleware_TakesTheFallbackOnly()
    {
        using var buffer = new MemoryStream();
        Response.Body = buffer;
        var guard = Attach();
        Response.StatusCode = 503;
        await Response.WriteAsync("failure");

        guard.Detach();
        await Response.WriteAsync("fallback");

        Encoding.UTF8.GetString(buffer.ToArray()).ShouldBe("fallback");
    }
}
