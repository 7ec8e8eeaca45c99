using ResilientHost.Bulkheads;

namespace ResilientHost.Tests.Bulkheads;

public class Gradient2LimitTests
{
    private const long Second = 1_000;

    [Fact]
    public void Update_SteadyLatency_GrowsByAFifthOfTheQueueAWindow()
    {
        var limit = Create(20);

        List<int> seen = [];
        for (var window = 0; window < 5; window++)
        {
            limit.Update(10, isBusy: true);
            seen.Add(limit.Value);
        }

        seen.ShouldBe([20, 21, 22, 23, 24]);
    }

    [Theory]
    [InlineData(14.9, 100)]
    [InlineData(20, 95)]
    [InlineData(30, 90)]
    [InlineData(3_000, 90)]
    public void Update_LatencyRises_ShrinksBeyondTheToleranceAndAtMostByATenth(double latency, int expected)
    {
        var limit = Create(100);
        Warm(limit, 10);

        limit.Update(latency, isBusy: true, learns: false);

        // limit * 0.8 + (limit * gradient + 4) * 0.2, with a gradient of 1.5 * 10 / latency, from 0.5 to 1.
        limit.Value.ShouldBe(expected);
    }

    [Fact]
    public void Update_LessThanHalfInUse_LearnsTheLatencyAndKeepsTheLimit()
    {
        var limit = Create(20);

        for (var window = 0; window < 20; window++)
        {
            limit.Update(window < 10 ? 10 : 1_000, isBusy: false).ShouldBeFalse();
        }

        limit.Value.ShouldBe(20);
        limit.Baseline.ShouldBeGreaterThan(10);
    }

    [Fact]
    public void Update_LatencyMuchBelowTheBaseline_BaselineFallsByATwentiethAWindow()
    {
        var limit = Create(20);
        Warm(limit, 100);

        limit.Update(10, isBusy: false, learns: false);

        limit.Baseline.ShouldBe(95, 0.001);
    }

    [Fact]
    public void Update_SteadyThenSlowThenQuickThenSteady_FollowsThePublishedAlgorithmWindowByWindow()
    {
        // Reckoned outside of this code by the published formulas, with their defaults: long window 600, tolerance 1.5, smoothing 0.2, queue 4.
        (int Windows, double Latency, int[] Limits, double Baseline)[] published =
        [
            (12, 100, [20, 21, 22, 23, 24, 24, 25, 26, 27, 28, 28, 29], 100),
            (4, 400, [27, 25, 23, 22], 103.973),
            (8, 30, [22, 23, 24, 25, 26, 26, 27, 28], 67.795),
            (4, 100, [29, 30, 30, 31], 68.221),
            (3, 170, [30, 28, 27], 69.234),
        ];
        var limit = Create(20, max: 200);

        foreach (var (windows, latency, limits, baseline) in published)
        {
            List<int> seen = [];
            for (var window = 0; window < windows; window++)
            {
                limit.Update(latency, isBusy: true);
                seen.Add(limit.Value);
            }

            seen.ToArray().ShouldBe(limits, customMessage: $"at {latency}");
            limit.Baseline.ShouldBe(baseline, 0.001, $"at {latency}");
        }
    }

    [Fact]
    public void Update_AnyLatencies_StaysWithinTheBounds()
    {
        var limit = Create(20, min: 5, max: 40);
        Random random = new(7);

        for (var window = 0; window < 10_000; window++)
        {
            limit.Update(Math.Exp(random.NextDouble() * 20), isBusy: true);
            limit.Value.ShouldBeInRange(5, 40);
        }
    }

    [Fact]
    public void Baseline_WarmUp_IsThePlainMeanThenTheExponentialOne()
    {
        // The published figures: ExpAvgMeasurement of window 100 and warm-up 10, fed 10 to 19, then 100.
        LongTermLatency latency = new(window: 100, warmUp: 10);
        double[] expected = [10, 10.5, 11, 11.5, 12, 12.5, 13, 13.5, 14, 14.5];

        for (var i = 0; i < expected.Length; i++)
        {
            latency.Add(10 + i);
            latency.Value.ShouldBe(expected[i], 0.01);
        }

        latency.Add(100);
        latency.Value.ShouldBe(16.2, 0.1);
    }

    [Fact]
    public void Decide_WindowOfFewerThanTenCallsOr100Milliseconds_WaitsForMore()
    {
        var limit = Create(20);

        for (var call = 0; call < 9; call++)
        {
            Report(limit, start: 1_000, end: 1_010).ShouldBeFalse("nine calls are too few, however long it took");
        }

        Report(limit, 1_000, 1_010);
        limit.Baseline.ShouldBe(10);
        for (var call = 0; call < 50; call++)
        {
            Report(limit, start: 1_090, end: 1_100).ShouldBeFalse("the next window lasts until 1,110");
        }

        Report(limit, 1_100, 1_110).ShouldBeTrue();
    }

    [Theory]
    [InlineData(200, 400)]
    [InlineData(5_000, 1_000)]
    [InlineData(1, 100)]
    public void Decide_NextWindow_LastsTwiceTheLatencyWithinBounds(int latency, int window)
    {
        const long Now = 100_000;
        var limit = Create(20);
        Calls(limit, 10, Now - latency, Now);

        Calls(limit, 10, Now + window - latency - 1, Now + window - 1);
        limit.Value.ShouldBe(20);

        Report(limit, Now + window - latency, Now + window);
        limit.Value.ShouldBe(21);
    }

    [Fact]
    public void Observe_FastFailures_AreNoLatency()
    {
        var limit = Create(20);
        Calls(limit, 10, 1_000, 1_100);
        var baseline = limit.Baseline;

        Calls(limit, 1_000, 2_000, 2_001, CallOutcome.Failed);

        (limit.Baseline, limit.Value).ShouldBe((baseline, 20));
    }

    [Fact]
    public void Observe_FailuresWithNothingKnownYet_AreNoLatency()
    {
        var limit = Create(20);

        Calls(limit, 1_000, 1_000, 9_000, CallOutcome.Failed);

        limit.Baseline.ShouldBe(0);
    }

    [Fact]
    public void Observe_FailuresSlowerThanNormal_ShrinkTheLimit()
    {
        var limit = Create(100);
        for (var window = 0; window < 10; window++)
        {
            Calls(limit, 10, 1_000 + (window * 200), 1_010 + (window * 200));
        }

        var before = limit.Value;
        Calls(limit, 10, 4_000, 5_000, CallOutcome.Failed);

        limit.Value.ShouldBeLessThan(before);
    }

    [Fact]
    public void Baseline_OnceWarm_LearnsOnceASecondWhateverThePaceOfDeciding()
    {
        var limit = Create(20);
        for (var window = 0; window < 10; window++)
        {
            Calls(limit, 10, 1_000 + (window * 200), 1_010 + (window * 200));
        }

        limit.Baseline.ShouldBe(10, 0.001);
        Calls(limit, 10, 3_780, 3_800);
        Calls(limit, 10, 4_000, 4_020);
        limit.Baseline.ShouldBe(10 + (10 * 2 / 601.0), 0.001, "the first one came within a second of the last of the warm-up, at 2,810");
    }

    [Fact]
    public void LimitWindow_ManyLongCallsOfManyThreads_CountAndSumBelongTogether()
    {
        LimitWindow window = default;

        for (var call = 0; call < 5_000; call++)
        {
            window.Add(long.MaxValue);
        }

        window.Count.ShouldBe(1_024);
        window.Close().Latency.ShouldBe(1L << 37);
        window.Count.ShouldBe(0);
    }

    private static Gradient2Limit Create(int initial, int min = 1, int max = 1_000)
    {
        Gradient2Limit limit = new(initial, now: 0, Second);
        limit.Bound(min, max);
        return limit;
    }

    private static void Warm(Gradient2Limit limit, double latency)
    {
        for (var window = 0; window < 10; window++)
        {
            limit.Update(latency, isBusy: false);
        }
    }

    private static void Calls(Gradient2Limit limit, int count, long start, long end, CallOutcome outcome = CallOutcome.Succeeded)
    {
        for (var call = 0; call < count; call++)
        {
            Report(limit, start, end, outcome);
        }
    }

    private static bool Report(Gradient2Limit limit, long start, long end, CallOutcome outcome = CallOutcome.Succeeded)
    {
        EndedCall call = new(start, end, outcome);
        return limit.Observe(call, halfInUse: true) && limit.Decide(call, halfInUse: true);
    }
}
