using ResilientHost.Bulkheads;

namespace ResilientHost.Tests.Bulkheads;

public class AimdLimitTests
{
    [Fact]
    public void Success_AtLeastHalfInUse_OneMore()
    {
        var limit = Create(10);

        Report(limit, CallOutcome.Succeeded).ShouldBeTrue();

        limit.Value.ShouldBe(11);
    }

    [Fact]
    public void Success_LessThanHalfInUse_NoChange()
    {
        var limit = Create(10);

        Report(limit, CallOutcome.Succeeded, half: false).ShouldBeFalse();

        limit.Value.ShouldBe(10);
    }

    [Theory]
    [InlineData(100, 90)]
    [InlineData(20, 18)]
    [InlineData(10, 9)]
    [InlineData(9, 8)]
    [InlineData(5, 4)]
    [InlineData(2, 1)]
    public void Failure_TenthLessAndAtLeastOne(int before, int after)
    {
        var limit = Create(before);

        Report(limit, CallOutcome.Failed, half: false).ShouldBeTrue("a failure counts however little is in use");

        limit.Value.ShouldBe(after);
    }

    [Fact]
    public void Failures_OneAfterTheOther_FallToTheMinimumAndNoFurther()
    {
        var limit = Create(20, min: 3);

        List<int> seen = [];
        for (var now = 0; now < 14; now++)
        {
            Report(limit, CallOutcome.Failed, start: now, end: now);
            seen.Add(limit.Value);
        }

        seen.ShouldBe([18, 16, 14, 12, 10, 9, 8, 7, 6, 5, 4, 3, 3, 3]);
    }

    [Fact]
    public void Success_AtTheMaximum_AsksNothingAndChangesNothing()
    {
        var limit = Create(10, max: 10);

        limit.AsksForUse(new EndedCall(0, 1, CallOutcome.Succeeded)).ShouldBeFalse();
        Report(limit, CallOutcome.Succeeded).ShouldBeFalse();

        limit.Value.ShouldBe(10);
    }

    [Fact]
    public void Failure_OfACallFromBeforeTheLastDecrease_IsTheSameNews()
    {
        var limit = Create(100);

        for (var call = 0; call < 50; call++)
        {
            Report(limit, CallOutcome.Failed, start: call, end: 100 + call);
        }

        limit.Value.ShouldBe(90);
        Report(limit, CallOutcome.Failed, start: 100, end: 160);
        limit.Value.ShouldBe(81);
    }

    [Fact]
    public void Success_OfACallFromBeforeTheLastDecrease_CountsAsAnyOther()
    {
        var limit = Create(100);
        Report(limit, CallOutcome.Failed, start: 5, end: 10);

        Report(limit, CallOutcome.Succeeded, start: 6, end: 11).ShouldBeTrue();

        limit.Value.ShouldBe(91);
    }

    [Fact]
    public void Bound_Narrower_ClampsWhatWasLearned()
    {
        var limit = Create(50);

        limit.Bound(1, 30);
        limit.Value.ShouldBe(30);

        limit.Bound(40, 100);
        limit.Value.ShouldBe(40);
    }

    private static AimdLimit Create(int initial, int min = 1, int max = 200)
    {
        AimdLimit limit = new(initial);
        limit.Bound(min, max);
        return limit;
    }

    private static bool Report(AimdLimit limit, CallOutcome outcome, bool half = true, long start = 0, long end = 0)
    {
        EndedCall call = new(start, end, outcome);
        return limit.Observe(call, half) && limit.Decide(call, half);
    }
}
