namespace ResilientHost.Tests.Testing;

public sealed class ScriptedSequenceTests
{
    [Fact]
    public void Next_RepeatingTheLast_EndsWithItForEver() =>
        Statuses(ScriptedSequenceEnd.RepeatLast, 5, ScriptedReply.Status(503).Times(2), ScriptedReply.Status(200)).ShouldBe([503, 503, 200, 200, 200]);

    [Fact]
    public void Next_RepeatingALastStepOfSeveral_EndsWithItForEver() =>
        Statuses(ScriptedSequenceEnd.RepeatLast, 6, ScriptedReply.Status(503), ScriptedReply.Status(200).Times(2)).ShouldBe([503, 200, 200, 200, 200, 200]);

    [Fact]
    public void Next_Cycling_BeginsAgainWithEveryNumber() =>
        Statuses(ScriptedSequenceEnd.Cycle, 7, ScriptedReply.Status(503).Times(2), ScriptedReply.Status(200)).ShouldBe([503, 503, 200, 503, 503, 200, 503]);

    [Fact]
    public void Next_PlayedOnce_IsExhaustedForEver() =>
        Statuses(ScriptedSequenceEnd.Fail, 5, ScriptedReply.Status(503).Times(2), ScriptedReply.Status(200)).ShouldBe([503, 503, 200, null, null]);

    [Fact]
    public void Next_OfVeryManySteps_CountsWithoutOverflow() =>
        new ScriptedSequence([ScriptedReply.Status(200).Times(int.MaxValue), ScriptedReply.Status(503).Times(int.MaxValue)], ScriptedSequenceEnd.Fail)
            .ToString().ShouldBe("all of its 4294967294 replies were given");

    private static List<int?> Statuses(ScriptedSequenceEnd end, int count, params ScriptedReply[] replies)
    {
        var sequence = new ScriptedSequence(replies, end);
        return [.. Enumerable.Range(0, count).Select(_ => sequence.Next()?.StatusCode)];
    }
}
