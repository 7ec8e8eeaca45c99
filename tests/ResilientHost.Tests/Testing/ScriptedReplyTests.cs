namespace ResilientHost.Tests.Testing;

public sealed class ScriptedReplyTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(199)]
    [InlineData(600)]
    [InlineData(0)]
    public void Status_OutOfBounds_SaysWhichThereAre(int status) =>
        Should.Throw<ArgumentOutOfRangeException>(() => ScriptedReply.Status(status)).Message.ShouldStartWith("The status of an answer is a number from 200 to 599.");

    [Theory]
    [InlineData(200)]
    [InlineData(599)]
    public void Status_OnABound_IsTaken(int status) => ScriptedReply.Status(status).ShouldNotBeNull();

    [Theory]
    [InlineData(204)]
    [InlineData(205)]
    [InlineData(304)]
    public void Text_OfAStatusWithoutBody_NamesTheWay(int status) =>
        Should.Throw<ArgumentOutOfRangeException>(() => ScriptedReply.Text("x", status)).Message.ShouldStartWith($"An answer of {status} has no body: use Status({status}).");

    [Fact]
    public void Json_BrokenText_NamesTheWayToBreakItOnPurpose() =>
        Should.Throw<ArgumentException>(() => ScriptedReply.Json("{")).Message.ShouldContain("use Text(body, statusCode, \"application/json\")");

    [Theory]
    [InlineData("X Y", "1", "no name of a header")]
    [InlineData("X-Y:", "1", "no name of a header")]
    [InlineData("X-Y", "a\r\nb", "use printable ASCII")]
    [InlineData("X-Y", "ä", "use printable ASCII")]
    [InlineData("content-length", "5", "TruncatedAfter")]
    [InlineData("Transfer-Encoding", "chunked", "set by the server")]
    public void WithHeader_ThatCannotBeSent_SaysWhy(string name, string value, string why) =>
        Should.Throw<ArgumentException>(() => ScriptedReply.Status(200).WithHeader(name, value)).Message.ShouldContain(why);

    [Fact]
    public void ContentType_ThatCannotBeSent_Throws() =>
        Should.Throw<ArgumentException>(() => ScriptedReply.Text("x", contentType: "text/plain\n"));

    [Fact]
    public void WithDelay_OutOfBounds_NamesTheAlternative()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => ScriptedReply.Status(200).WithDelay(-Second)).Message.ShouldContain("WhenReleased");
        Should.Throw<ArgumentOutOfRangeException>(() => ScriptedReply.Status(200).WithDelay(TimeSpan.FromDays(1) + Second));
        Should.Throw<ArgumentOutOfRangeException>(() => ScriptedReply.Status(200).WithDelay(Timeout.InfiniteTimeSpan));
        ScriptedReply.Status(200).WithDelay(TimeSpan.FromDays(1)).WithDelay(TimeSpan.Zero).ShouldNotBeNull();
    }

    [Fact]
    public void InChunks_OutOfBounds_Throws()
    {
        var reply = ScriptedReply.Text("body");
        Should.Throw<ArgumentOutOfRangeException>(() => reply.InChunks(0, Second));
        Should.Throw<ArgumentOutOfRangeException>(() => reply.InChunks(1, -Second));
        Should.Throw<InvalidOperationException>(() => ScriptedReply.Status(200).InChunks(1, Second)).Message.ShouldBe("InChunks needs a body: begin with Text, Json or Bytes, not empty.");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(4)]
    public void Cut_WithNothingToCut_NamesTheBounds(int bytes)
    {
        var reply = ScriptedReply.Text("body");
        Should.Throw<ArgumentOutOfRangeException>(() => reply.TruncatedAfter(bytes)).Message.ShouldStartWith("The body has 4 bytes: to cut it, send from 0 to 3 of them.");
        Should.Throw<ArgumentOutOfRangeException>(() => reply.ResetAfter(bytes));
    }

    [Fact]
    public void Cut_Twice_Throws() =>
        Should.Throw<InvalidOperationException>(() => ScriptedReply.Text("body").ResetAfter(1).TruncatedAfter(1)).Message.ShouldContain("cut already");

    [Fact]
    public void Refinements_OfWhatIsNoAnswer_SayHowToBegin()
    {
        Should.Throw<InvalidOperationException>(() => ScriptedReply.Reset().WithHeader("X-Y", "1")).Message
            .ShouldBe("Reset() sends no HTTP and has no headers: begin with Status, Text, Json or Bytes.");
        Should.Throw<InvalidOperationException>(() => ScriptedReply.Garbage().TruncatedAfter(1)).Message
            .ShouldBe("Garbage() sends no HTTP and has no body: begin with Status, Text, Json or Bytes.");
        Should.Throw<ArgumentException>(() => ScriptedReply.Garbage(""));
        ScriptedReply.Reset().WithDelay(Second).WhenReleased().Times(2).ShouldNotBeNull();
    }

    [Fact]
    public void Times_LessThanOne_Throws() => Should.Throw<ArgumentOutOfRangeException>(() => ScriptedReply.Status(200).Times(0));

    [Fact]
    public void Refinement_OfAReply_LeavesTheReplyAsItWas()
    {
        var plain = ScriptedReply.Text("body");
        plain.WithHeader("X-Y", "1").WithDelay(Second).WhenReleased().InChunks(1, Second).ResetAfter(1).Times(3);

        plain.Headers.ShouldBeEmpty();
        plain.Delay.ShouldBe(TimeSpan.Zero);
        plain.IsHeld.ShouldBeFalse();
        plain.ChunkBytes.ShouldBeNull();
        plain.CutAfter.ShouldBeNull();
        plain.Repeats.ShouldBe(1);
    }

    [Fact]
    public void Bytes_ChangedByTheCallerLater_StayAsTheyWere()
    {
        byte[] bytes = [1, 2];
        var reply = ScriptedReply.Bytes(bytes);
        bytes[0] = 9;
        reply.Body.ToArray().ShouldBe([1, 2]);
    }
}
