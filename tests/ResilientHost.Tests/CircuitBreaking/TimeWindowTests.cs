using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed class TimeWindowTests
{
    private static readonly MonotonicClock Clock = new(new ManualTimeProvider());
    private static readonly CircuitPolicy Policy = CircuitPolicy.Create(
        "w", new CircuitBreakerOptions { SamplingDuration = TimeSpan.FromTicks(1_000_000), MinimumThroughput = 1_000_000 }, Clock);

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(123_456_789)]
    public void Read_OutcomeExactlySamplingDurationOld_IsExpired(long origin)
    {
        for (var offset = 0; offset < 3_000_000; offset += 33_331)
        {
            var window = new TimeWindow(origin);
            window.AddSuccess(Policy, origin + offset);
            window.Read(Policy, origin + offset + 900_000).Calls.ShouldBe(1);
            window.Read(Policy, origin + offset + 1_000_000).Calls.ShouldBe(0);
        }
    }

    [Fact]
    public void Read_OutcomesAcrossManyTurns_HoldsTheLastTenBuckets()
    {
        var window = new TimeWindow(0);
        for (var bucket = 0; bucket < 95; bucket++)
        {
            window.AddTrouble(Policy, failed: true, slow: bucket % 2 == 0, bucket * 100_000);
            window.Read(Policy, bucket * 100_000).ShouldBe(new WindowCounts(
                Math.Min(bucket + 1, 10), Math.Min(bucket + 1, 10), Enumerable.Range(Math.Max(0, bucket - 9), Math.Min(bucket + 1, 10)).Count(b => b % 2 == 0)));
        }
    }

    [Fact]
    public void AddSuccess_AfterIdleFarBeyondTheBucketNumbers_StillCounts()
    {
        var window = new TimeWindow(0);
        foreach (var turns in new long[] { 1L << 26, 1L << 27, (1L << 27) + 12345, (1L << 28) + 5, (1L << 35) + 70_000 })
        {
            var now = turns * 100_000;
            window.AddSuccess(Policy, now);
            window.Read(Policy, now).Calls.ShouldBe(1);
        }
    }

    [Fact]
    public void Read_ByAClockALittleBehind_SeesTheNewestBucket()
    {
        var window = new TimeWindow(0);
        window.AddSuccess(Policy, 1_500_000);
        window.Read(Policy, 1_499_999).Calls.ShouldBe(1);
    }

    [Fact]
    public void AddSuccess_OutcomeLaterThanItsBucket_IsDropped()
    {
        var window = new TimeWindow(0);
        window.AddSuccess(Policy, 1_500_000);
        window.AddSuccess(Policy, 400_000);
        window.Read(Policy, 1_500_000).Calls.ShouldBe(1);
    }

    [Fact]
    public void AddSuccess_BeforeTheOrigin_CountsInTheFirstBucket()
    {
        var window = new TimeWindow(1000);
        window.AddSuccess(Policy, 0);
        window.Read(Policy, 1000).Calls.ShouldBe(1);
    }

    [Fact]
    public void Add_ManyThreads_LosesNothing()
    {
        const int Threads = 8;
        const int Each = 40_000;
        var window = new TimeWindow(0);
        using var start = new Barrier(Threads);
        var workers = Enumerable.Range(0, Threads).Select(worker => new Thread(() =>
        {
            start.SignalAndWait();
            for (var i = 0; i < Each; i++)
            {
                if (i % 10 == worker % 10)
                {
                    window.AddTrouble(Policy, failed: true, slow: true, i);
                }
                else
                {
                    window.AddSuccess(Policy, i);
                }
            }
        })).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        window.Read(Policy, Each).ShouldBe(new WindowCounts(Threads * Each, Threads * Each / 10, Threads * Each / 10));
    }
}
