using System.Globalization;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Refusals;

public class RetryAfterTextTests
{
    [Fact]
    public void Of_AnyNumberOfSeconds_IsItsDecimal()
    {
        int[] far = [86_399, 86_400, 604_800, 999_999_999, 1_000_000_000, int.MaxValue - 1, int.MaxValue];

        foreach (var seconds in Enumerable.Range(1, 4000).Concat(far))
        {
            RetryAfterText.Of(seconds).ShouldBe(seconds.ToString(CultureInfo.InvariantCulture));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(299)]
    public void Of_ShortWaitsThatDiffer_AllocateNothing(int seconds)
    {
        AllocatedBytes.Of(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                _ = RetryAfterText.Of(seconds);
                _ = RetryAfterText.Of(2);
            }
        }).ShouldBe(0);
    }

    [Fact]
    public void Of_ManyThreadsWithDifferentWaits_EachGetsItsOwn() =>
        Parallel.For(0, 10_000, i => RetryAfterText.Of(1000 + (i % 3)).ShouldBe((1000 + (i % 3)).ToString(CultureInfo.InvariantCulture)));
}
