using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

public sealed partial class GuardedResponseBodyTests
{
    [Theory]
    [InlineData("Stream.WriteAsync", "text")]
    [InlineData("Stream.WriteAsync array", "text")]
    [InlineData("Stream.Write", "text")]
    [InlineData("Stream.Write array", "text")]
    [InlineData("Stream.WriteByte", "t")]
    [InlineData("Stream.BeginWrite", "text")]
    [InlineData("Stream.WriteAsync of nothing", "")]
    [InlineData("Stream.Flush", "")]
    [InlineData("Stream.FlushAsync", "")]
    [InlineData("Writer.WriteAsync", "text")]
    [InlineData("Writer.Advance", "text")]
    [InlineData("Writer.FlushAsync", "")]
    [InlineData("Writer.Complete", "")]
    [InlineData("Writer.CompleteAsync", "")]
    [InlineData("StartAsync", "")]
    [InlineData("CompleteAsync", "")]
    [InlineData("WriteAsync", "text")]
    [InlineData("WriteAsJsonAsync", "\"text\"")]
    public async Task Tap_HoweverAnAnswerBegins_IsToldBeforeItIsPassedOn(string beginning, string seen)
    {
        var tap = new RecordingTap(_server);
        Attach(tap: tap);

        await Begin[beginning](Response);

        tap.Seen.ShouldBe(seen);
        tap.Starts.ShouldBe(1);
        tap.HadStarted.ShouldBeFalse();
        tap.IsUnrecordable.ShouldBeFalse();
    }

    [Fact]
    public async Task Tap_MixedWrites_SeesThemInOrder()
    {
        var tap = new RecordingTap(_server);
        Attach(tap: tap);
        var writer = Response.BodyWriter;

        "ab"u8.CopyTo(writer.GetSpan(2));
        writer.Advance(1);
        writer.Advance(1);
        await writer.FlushAsync();
        await Response.Body.WriteAsync("cd"u8.ToArray());
        "e"u8.CopyTo(writer.GetMemory(1).Span);
        writer.Advance(1);
        await writer.FlushAsync();

        tap.Seen.ShouldBe("abcde");
        _server.Sent.ShouldBe("abcde");
    }

    [Fact]
    public async Task Tap_OfAReplacedAnswer_IsToldNothing()
    {
        var tap = new RecordingTap(_server);
        Attach(tap: tap);
        Response.StatusCode = 500;

        await Response.WriteAsync("text");

        (tap.Starts, tap.Seen, tap.IsUnrecordable).ShouldBe((0, "", false));
    }

    [Theory]
    [InlineData("start")]
    [InlineData("write")]
    [InlineData("all")]
    public async Task Tap_ThatThrows_IsLetGoAndTheAnswerGoesOn(string where)
    {
        var tap = new ThrowingTap(where);
        var guard = Attach(tap: tap);

        await Response.WriteAsync("one, ");
        await Response.Body.WriteAsync("two"u8.ToArray());
        guard.Detach();

        _server.Sent.ShouldBe("one, two");
        tap.Calls.ShouldBe(where == "write" ? 3 : 2);
    }

    [Fact]
    public async Task Tap_OfAResponseThatHadStarted_IsToldItMissedSomething()
    {
        await Response.WriteAsync("before");
        var tap = new RecordingTap(_server);
        Attach(tap: tap);

        await Response.WriteAsync(", after");

        tap.IsUnrecordable.ShouldBeTrue();
    }

    [Fact]
    public async Task Tap_OfAnAnswerThatIsTakenBackOrEndsWithAnError_IsTold()
    {
        Response.Body = new MemoryStream();
        var takenBack = new RecordingTap(_server);
        var guard = Attach(tap: takenBack);
        await Response.WriteAsync("text");
        Response.Body.SetLength(0);
        guard.Detach();

        var broken = new RecordingTap(_server);
        Attach(tap: broken);
        await Response.WriteAsync("text");
        await Response.BodyWriter.CompleteAsync(new IOException("broken"));

        takenBack.IsUnrecordable.ShouldBeTrue();
        broken.IsUnrecordable.ShouldBeTrue();
    }

    [Fact]
    public async Task Tap_OfOneRequest_SeesNothingOfTheNext()
    {
        var tap = new RecordingTap(_server);
        Attach(tap: tap).Detach();
        _server.NextRequest();

        Attach();
        await Response.WriteAsync("next");

        (tap.Starts, tap.Seen).ShouldBe((0, ""));
    }

    private sealed class RecordingTap(GuardedServer server) : IResponseTap
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();

        public int Starts { get; private set; }

        public bool HadStarted { get; private set; }

        public bool IsUnrecordable { get; private set; }

        public string Seen => Encoding.UTF8.GetString(_bytes.WrittenSpan);

        public void OnStarting(HttpContext context)
        {
            context.ShouldBeSameAs(server.Context);
            HadStarted = server.HasStarted;
            Starts++;
        }

        public void OnWrite(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

        public void OnUnrecordable() => IsUnrecordable = true;
    }

    private sealed class ThrowingTap(string where) : IResponseTap
    {
        public int Calls { get; private set; }

        public void OnStarting(HttpContext context) => Called("start");

        public void OnWrite(ReadOnlySpan<byte> bytes) => Called("write");

        public void OnUnrecordable() => Called("end");

        private void Called(string what)
        {
            Calls++;
            if (where == what || where == "all")
            {
                throw new InvalidOperationException("A tap that throws.");
            }
        }
    }
}
