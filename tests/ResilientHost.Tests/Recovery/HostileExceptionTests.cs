using ResilientHost.Recovery;

namespace ResilientHost.Tests.Recovery;

public class HostileExceptionTests
{
    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task RecoverAsync_HostileException_IsContainedLoggedAndAnswered(string what, Exception exception)
    {
        foreach (var isDevelopment in new[] { false, true })
        {
            using var host = new RecoveryHost(isDevelopment: isDevelopment);
            // A provider renders the exception; one that blows up there would lose the entry.
            var request = host.Request();

            (await host.RecoverAsync(request, exception)).ShouldBe(CallOutcome.Failed, what);

            request.Json.GetProperty("status").GetInt32().ShouldBe(500);
            var entry = host.Log.Entries.ShouldHaveSingleItem();
            var rendered = entry.Exception!.ToString();
            rendered.Length.ShouldBeLessThan(70 * 1024);
            rendered.ShouldContain(exception.GetType().Name);
            _ = entry.Exception.Message;
        }
    }

    public static TheoryData<string, Exception> Hostile() => new()
    {
        { "message", new HostileMessage() },
        { "text", new HostileText() },
        { "stack", new HostileStack() },
        { "null message", new NullMessage() },
        { "10 MB", new InvalidOperationException(new string('x', 10_000_000)) },
        { "inner", new InvalidOperationException("outer", new HostileMessage()) },
        { "aggregate", new AggregateException(new HostileMessage(), new HostileText()) },
        { "deep", Deep(200) },
    };

    [Theory]
    [InlineData("line\r\nfail: forged")]
    [InlineData("esc\u001b[31mred")]
    [InlineData("separator\u2028forged")]
    [InlineData("paragraph\u2029forged")]
    [InlineData("next line\u0085forged")]
    [InlineData("bidi\u202egnitset")]
    [InlineData("nul\0")]
    public async Task RecoverAsync_ControlCharactersInMessage_CannotForgeLogLines(string message)
    {
        using var host = new RecoveryHost();

        await host.RecoverAsync(host.Request(), new InvalidOperationException(message));
        await host.RecoverAsync(host.Request(), new InvalidDataException("outer", new InvalidOperationException(message)));

        foreach (var entry in host.Log.Entries)
        {
            entry.Exception!.ToString().ShouldNotContain(message);
            entry.Exception.Message.ShouldNotContain(message);
            LogText.NeedsEscape(entry.Exception.ToString(), allowLineEnds: true).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task RecoverAsync_PathOf8KbWithControlCharacters_StaysOutOfTheLog()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.Context.Request.Path = "/" + string.Concat(Enumerable.Repeat("\r\n\u001b[0m", 1600));
        request.Context.Request.Method = "GET\r\nforged";
        var scope = RecoveryHost.Scope("POST /a\r\nb" + new string('x', 100_000));

        await host.RecoverAsync(request, new InvalidOperationException("boom"), scope);

        var entry = host.Log.Entries.ShouldHaveSingleItem();
        entry.Message.Length.ShouldBeLessThan(2048);
        LogText.NeedsEscape(entry.Message, allowLineEnds: false).ShouldBeFalse();
    }

    [Fact]
    public void ForLogger_HarmlessException_IsHandedOverAsItIs()
    {
        var exception = new InvalidOperationException("plain", new TimeoutException("Grüße, 日本, 😀"));

        SafeException.ForLogger(exception).ShouldBeSameAs(exception);
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData("plain 😀", "plain 😀")]
    [InlineData("a\r\n\tb", "a\\r\\n\\tb")]
    [InlineData("\u001b", "\\u001b")]
    [InlineData("0123456789abcdef", "0123456789... (16 characters)")]
    public void Clean_Text_IsEscapedAndCapped(string? text, string expected) => LogText.Clean(text, 10).ShouldBe(expected);

    [Fact]
    public void Clean_LoneSurrogate_IsEscaped() => LogText.Clean("a" + (char)0xd800 + "b", 100).ShouldBe("a\\ud800b");

    [Fact]
    public void Clean_TextOfControlCharacters_StaysBounded() => LogText.Clean(new string('\u0001', 100_000), 100).Length.ShouldBeLessThan(150);

    private static Exception Deep(int depth)
    {
        Exception exception = new HostileMessage();
        for (var i = 0; i < depth; i++)
        {
            exception = new InvalidOperationException($"level {i}", exception);
        }

        return exception;
    }

    private sealed class HostileMessage : Exception
    {
        public override string Message => throw new InvalidOperationException("Message threw");
    }

    private sealed class HostileText : Exception
    {
        public override string ToString() => throw new InvalidOperationException("ToString threw");
    }

    private sealed class HostileStack : Exception
    {
        public override string StackTrace => throw new InvalidOperationException("StackTrace threw");
    }

    private sealed class NullMessage : Exception
    {
        public override string Message => null!;
    }
}
