using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.CircuitBreaking;

// A window counts its first bucket in one word, and makes room for more when that is needed.
public sealed class TimeWindowFirstCallsTests
{
    private const long Bucket = 100_000;
    private static readonly MonotonicClock Clock = new(new ManualTimeProvider());
    private static readonly CircuitPolicy Policy = CircuitPolicy.Create(
        "w", new CircuitBreakerOptions { SamplingDuration = TimeSpan.FromTicks(10 * Bucket), MinimumThroughput = 4 }, Clock);

    [Fact]
    public void Read_SuccessesInEachBucket_HoldsTheLastTen()
    {
        var window = new TimeWindow(0);
        for (var bucket = 0; bucket < 95; bucket++)
        {
            window.AddSuccess(Policy, bucket * Bucket);
            window.AddSuccess(Policy, (bucket * Bucket) + Bucket - 1);
            window.Read(Policy, bucket * Bucket).Calls.ShouldBe(2 * Math.Min(bucket + 1, 10));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(1000)]
    public void Read_SecondSuccessSoManyBucketsLater_HoldsTheFirstWhileItIsYoungEnough(int later)
    {
        var window = new TimeWindow(0);
        window.AddSuccess(Policy, 0);
        window.AddSuccess(Policy, later * Bucket);
        window.Read(Policy, later * Bucket).Calls.ShouldBe(later < 10 ? 2 : 1);
    }

    [Fact]
    public void Read_SuccessByAClockALittleBehind_CountsBoth()
    {
        var window = new TimeWindow(0);
        window.AddSuccess(Policy, 5 * Bucket);
        window.AddSuccess(Policy, (5 * Bucket) - 1);
        window.Read(Policy, 5 * Bucket).Calls.ShouldBe(2);
    }

    [Fact]
    public void AddTrouble_AfterSuccessesOfTheFirstBucket_JudgesByAllOfThem()
    {
        var window = new TimeWindow(0);
        window.AddSuccess(Policy, 0);
        window.AddSuccess(Policy, 0);
        window.AddTrouble(Policy, failed: true, slow: false, 0).ShouldBeNull();
        window.AddTrouble(Policy, failed: true, slow: false, 0).ShouldBe(CircuitTransitionCause.FailureRatio);
        window.Read(Policy, 0).ShouldBe(new WindowCounts(4, 2, 0));
    }

    [Fact]
    public void AddSuccess_ThatCompletesTheMinimumAfterFailures_PullsTheTrigger()
    {
        var window = new TimeWindow(0);
        window.AddSuccess(Policy, 0);
        window.AddTrouble(Policy, failed: true, slow: false, Bucket);
        window.AddTrouble(Policy, failed: true, slow: false, Bucket).ShouldBeNull();
        window.AddSuccess(Policy, Bucket).ShouldBe(CircuitTransitionCause.FailureRatio);
    }

    [Fact]
    public void AddSuccess_ManyThreadsThroughTheFirstBuckets_LosesNothing()
    {
        const int Threads = 8;
        for (var round = 0; round < 200; round++)
        {
            var window = new TimeWindow(0);
            using var start = new Barrier(Threads);
            var workers = Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
            {
                start.SignalAndWait();
                for (var bucket = 0; bucket < 10; bucket++)
                {
                    window.AddSuccess(Policy, bucket * Bucket);
                }
            })).ToList();
            workers.ForEach(worker => worker.Start());
            workers.ForEach(worker => worker.Join());
            window.Read(Policy, 9 * Bucket).Calls.ShouldBe(Threads * 10);
        }
    }
}
