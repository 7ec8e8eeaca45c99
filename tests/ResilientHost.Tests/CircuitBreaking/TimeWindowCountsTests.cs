using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.CircuitBreaking;

// Which thread loses a swap is chance; what comes of it is told to the counts by hand here.
public sealed class TimeWindowCountsTests
{
    private const long Bucket = 100_000;
    private static readonly MonotonicClock Clock = new(new ManualTimeProvider());
    private static readonly CircuitPolicy Policy = CircuitPolicy.Create("w", new CircuitBreakerOptions { SamplingDuration = TimeSpan.FromTicks(10 * Bucket) }, Clock);

    [Fact]
    public void CountContended_FewerThanManyInOneBucket_KeepsOneSetOfWords()
    {
        var counts = new TimeWindowCounts();
        var calls = 0;
        for (var bucket = 0L; bucket < 20; bucket++)
        {
            counts.BucketAt(Policy, bucket * Bucket).ShouldBe(bucket);
            for (var lost = 0; lost < TimeWindowCounts.LostBeforeStripes - 1; lost++, calls++)
            {
                counts.CountContended(bucket);
            }
        }

        counts.IsStriped.ShouldBeFalse();
        counts.Sum(19).Calls.ShouldBe(calls / 2);
    }

    [Fact]
    public void CountContended_ManyInOneBucket_GivesEachCoreItsOwnWordsAndLosesNothing()
    {
        var counts = new TimeWindowCounts();
        for (var lost = 0; lost < TimeWindowCounts.LostBeforeStripes; lost++)
        {
            counts.IsStriped.ShouldBeFalse();
            counts.CountContended(bucket: 0);
        }

        counts.IsStriped.ShouldBe(Environment.ProcessorCount > 1);
        counts.Sum(0).Calls.ShouldBe(TimeWindowCounts.LostBeforeStripes);
    }
}
