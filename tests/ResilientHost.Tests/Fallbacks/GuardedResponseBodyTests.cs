using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

public sealed partial class GuardedResponseBodyTests
{
    private readonly GuardedServer _server = new();

    private HttpContext Context => _server.Context;

    private HttpResponse Response => _server.Context.Response;

    public static TheoryData<string> Beginnings => [.. Begin.Keys];

    // Every way in which an answer begins.
    private static Dictionary<string, Func<HttpResponse, Task>> Begin { get; } = new()
    {
        ["Stream.WriteAsync"] = static response => response.Body.WriteAsync("text"u8.ToArray()).AsTask(),
        ["Stream.WriteAsync array"] = static response => response.Body.WriteAsync("text"u8.ToArray(), 0, 4, CancellationToken.None),
        ["Stream.Write"] = static response => Done(() => response.Body.Write("text"u8)),
        ["Stream.Write array"] = static response => Done(() => response.Body.Write("text"u8.ToArray(), 0, 4)),
        ["Stream.WriteByte"] = static response => Done(() => response.Body.WriteByte((byte)'t')),
        ["Stream.BeginWrite"] = static response => Task.Factory.FromAsync(response.Body.BeginWrite, response.Body.EndWrite, "text"u8.ToArray(), 0, 4, state: null),
        ["Stream.WriteAsync of nothing"] = static response => response.Body.WriteAsync(ReadOnlyMemory<byte>.Empty).AsTask(),
        ["Stream.Flush"] = static response => Done(response.Body.Flush),
        ["Stream.FlushAsync"] = static response => response.Body.FlushAsync(),
        ["Writer.WriteAsync"] = static response => response.BodyWriter.WriteAsync("text"u8.ToArray()).AsTask(),
        ["Writer.Advance"] = static response => Done(() => response.BodyWriter.Write("text"u8)),
        ["Writer.FlushAsync"] = static response => response.BodyWriter.FlushAsync().AsTask(),
        ["Writer.Complete"] = static response => Done(() => response.BodyWriter.Complete()),
        ["Writer.CompleteAsync"] = static response => response.BodyWriter.CompleteAsync().AsTask(),
        ["StartAsync"] = static response => response.StartAsync(),
        ["CompleteAsync"] = static response => response.CompleteAsync(),
        ["SendFileAsync"] = static response => response.SendFileAsync("nowhere.txt", 0, 1),
        ["WriteAsync"] = static response => response.WriteAsync("text"),
        ["WriteAsJsonAsync"] = static response => response.WriteAsJsonAsync("text"),
    };

    [Theory]
    [InlineData(204)]
    [InlineData(304)]
    [InlineData(200)]
    [InlineData(404)]
    [InlineData(499)]
    public async Task Answer_BelowFiveHundred_IsPassedOn(int status)
    {
        var guard = Attach();
        Response.StatusCode = status;

        await Response.WriteAsync("text");
        guard.Detach();

        _server.Sent.ShouldBe("text");
        guard.HasReplaced.ShouldBeFalse();
    }

    [Theory]
    [MemberData(nameof(Beginnings))]
    public async Task Answer_OfFiveHundredWithoutReplacing_IsPassedOn(string beginning)
    {
        var guard = Attach(replacesFailures: false);
        Response.StatusCode = 503;

        await Begin[beginning](Response);
        guard.Detach();

        // A plain writer neither flushes nor completes its stream for nothing.
        guard.HasReplaced.ShouldBeFalse();
        (_server.HasStarted || _server.Writer.UnflushedBytes > 0).ShouldBe(beginning is not ("Writer.FlushAsync" or "Writer.Complete" or "Writer.CompleteAsync"));
    }

    [Fact]
    public void Answer_BytesOfAWriter_AreTheServersOwnMemory()
    {
        Attach();

        var memory = Response.BodyWriter.GetMemory(16);

        memory.Equals(_server.Writer.GetMemory(16)).ShouldBeTrue();
    }

    [Fact]
    public async Task StatusSetAfterAFlush_IsTooLate_AnswerIsPassedOn()
    {
        var guard = Attach();
        await Response.WriteAsync("half");
        _server.StatusCode = 503;

        await Response.WriteAsync(", other half");
        guard.Detach();

        _server.Sent.ShouldBe("half, other half");
        guard.HasReplaced.ShouldBeFalse();
    }

    [Fact]
    public async Task StatusSetAfterABufferedByte_IsTooLate_AnswerIsPassedOn()
    {
        var guard = Attach();
        Response.BodyWriter.Write("half"u8);
        Response.StatusCode = 503;

        await Response.BodyWriter.FlushAsync();
        guard.Detach();

        _server.Sent.ShouldBe("half");
        guard.HasReplaced.ShouldBeFalse();
    }

    [Fact]
    public async Task Answer_OfAResponseThatHadStarted_IsPassedOn()
    {
        await Response.WriteAsync("before, ");
        var guard = Attach();
        _server.StatusCode = 503;

        await Response.WriteAsync("after");
        guard.Detach();

        _server.Sent.ShouldBe("before, after");
        guard.HasReplaced.ShouldBeFalse();
    }

    [Fact]
    public async Task Answer_OfAResponseThatHoldsBytes_IsPassedOn()
    {
        _server.Writer.Write("before, "u8);
        var guard = Attach();
        Response.StatusCode = 503;

        await Response.WriteAsync("after");
        guard.Detach();

        _server.Sent.ShouldBe("before, after");
        guard.HasReplaced.ShouldBeFalse();
    }

    [Fact]
    public void DisableBuffering_DecidesNothing_AndIsPassedOn()
    {
        var guard = Attach();

        Context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        Response.StatusCode = 503;
        Response.Body.Flush();

        _server.IsBufferingDisabled.ShouldBeTrue();
        guard.HasReplaced.ShouldBeTrue();
    }

    [Fact]
    public void BufferOfOuterMiddleware_CanBeTakenBackThroughTheGuard()
    {
        using var buffer = new MemoryStream();
        Response.Body = buffer;
        Attach();
        Response.Body.Write("mistake"u8);

        Response.Body.CanSeek.ShouldBeTrue();
        Response.Clear();
        Response.Body.Write("answer"u8);

        Encoding.UTF8.GetString(buffer.ToArray()).ShouldBe("answer");
    }

    [Fact]
    public async Task DisposingTheStream_BeforeAnythingPassed_LeavesItToWhoAnswersInstead()
    {
        using var buffer = new MemoryStream();
        Response.Body = buffer;
        var guard = Attach();

        await Response.Body.DisposeAsync();
        Response.Body.Dispose();
        guard.Detach();

        buffer.CanWrite.ShouldBeTrue();
    }

    [Fact]
    public async Task DisposingTheStream_AfterAnAnswer_FlushesWhatIsBehind()
    {
        using var sink = new MemoryStream();
        Response.Body = new BufferedStream(sink);
        Attach();

        await Response.Body.WriteAsync("text"u8.ToArray());
        await Response.Body.DisposeAsync();

        Encoding.UTF8.GetString(sink.ToArray()).ShouldBe("text");
    }

    private static Task Done(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private GuardedResponseBody Attach(bool replacesFailures = true, IResponseTap? tap = null) =>
        GuardedResponseBody.Attach(Context, replacesFailures, tap).ShouldNotBeNull();
}
