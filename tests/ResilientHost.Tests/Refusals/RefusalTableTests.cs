using ResilientHost.Refusals;

namespace ResilientHost.Tests.Refusals;

public class RefusalTableTests
{
    [Theory]
    [InlineData(RefusalReason.CircuitOpen, 503, "circuit_open", true)]
    [InlineData(RefusalReason.BulkheadFull, 503, "bulkhead_full", true)]
    [InlineData(RefusalReason.QueueTimeout, 503, "queue_timeout", true)]
    [InlineData(RefusalReason.Shed, 503, "shed", true)]
    [InlineData(RefusalReason.Timeout, 504, "timeout", false)]
    [InlineData(RefusalReason.DeadlineExceeded, 504, "deadline_exceeded", false)]
    [InlineData(RefusalReason.Repairing, 503, "repairing", true)]
    public void Resolve_EachReason_HasItsStatusCodeAndRetryRule(RefusalReason reason, int status, string code, bool hasRetryAfter)
    {
        var problem = RefusalTable.Resolve(new Refusal(reason, "x", TimeSpan.FromSeconds(7)));

        problem.Status.ShouldBe(status);
        problem.Code.ShouldBe(code);
        RefusalTable.CodeOf(reason).ShouldBe(code);
        problem.Title.ShouldNotBeNullOrWhiteSpace();
        problem.RetryAfter.ShouldBe(hasRetryAfter ? TimeSpan.FromSeconds(7) : null);
    }

    [Fact]
    public void Resolve_EveryMemberOfTheEnum_HasARowOfItsOwn() =>
        Enum.GetValues<RefusalReason>().Select(RefusalTable.CodeOf).Distinct().Count().ShouldBe(Enum.GetValues<RefusalReason>().Length);

    [Fact]
    public void Resolve_UnknownReason_SaysSo() =>
        Should.Throw<ArgumentOutOfRangeException>(() => RefusalTable.Resolve(new Refusal((RefusalReason)99, "x", null)));

    [Fact]
    public void Resolve_CircuitThatDoesNotKnowWhen_HasNoRetryAfter() =>
        RefusalTable.Resolve(new Refusal(RefusalReason.CircuitOpen, "x", null)).RetryAfterSeconds.ShouldBe(0);

    [Theory]
    [InlineData(RefusalReason.BulkheadFull)]
    [InlineData(RefusalReason.QueueTimeout)]
    [InlineData(RefusalReason.Shed)]
    [InlineData(RefusalReason.Repairing)]
    public void Resolve_BusyWithoutRetryAfter_SpreadsTheReturnOfTheRefused(RefusalReason reason)
    {
        var waits = Enumerable.Range(0, 200).Select(_ => RefusalTable.Resolve(new Refusal(reason, "x", null)).RetryAfterSeconds).ToList();

        waits.ShouldAllBe(seconds => seconds >= 1 && seconds <= 4);
        waits.Distinct().Count().ShouldBeGreaterThan(1);
    }

    [Theory]
    [InlineData(0L, 1)]
    [InlineData(1L, 1)]
    [InlineData(TimeSpan.TicksPerSecond, 1)]
    [InlineData(TimeSpan.TicksPerSecond + 1, 2)]
    [InlineData(TimeSpan.TicksPerSecond * 2, 2)]
    [InlineData(TimeSpan.TicksPerMinute * 2 - 1, 120)]
    [InlineData(TimeSpan.TicksPerSecond * (int.MaxValue - 1), int.MaxValue - 1)]
    [InlineData((TimeSpan.TicksPerSecond * (int.MaxValue - 1)) + 1, int.MaxValue)]
    [InlineData((TimeSpan.TicksPerSecond * int.MaxValue) - 1, int.MaxValue)]
    [InlineData((TimeSpan.TicksPerSecond * int.MaxValue) + 1, int.MaxValue)]
    [InlineData(long.MaxValue, int.MaxValue)]
    [InlineData(-1L, 1)]
    public void RetryAfterSeconds_AnyWait_IsRoundedUpAndAtLeastOne(long ticks, int seconds) =>
        new Problem(503, "x", "x", TimeSpan.FromTicks(ticks)).RetryAfterSeconds.ShouldBe(seconds);
}
