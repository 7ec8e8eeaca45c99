using ResilientHost.IsolatedTasks;

namespace ResilientHost.Tests.IsolatedTasks;

public class LeakDetectorTests
{
    private const long Part = 100;
    private const long Window = Part * LeakDetector.Parts;
    private const int Threshold = 20;
    private readonly LeakDetector _detector = new();
    private long _now = 1_000_000;

    [Fact]
    public void Observe_GrowsInEveryPart_BeginsAfterAWindow()
    {
        Parts(20, 21, 22, 23, 24, 25, 26, 27).ShouldAllBe(change => change == LeakChange.None);

        Observe(28).ShouldBe(LeakChange.Began);
        (_detector.IsLeaking, _detector.Growth).ShouldBe((true, 7));
    }

    [Theory]
    [InlineData(20, 20, 20, 21, 21, 22, 22, 23, true)]
    [InlineData(20, 20, 20, 20, 21, 21, 22, 22, false)]
    [InlineData(20, 22, 24, 21, 26, 28, 30, 32, false)]
    [InlineData(30, 30, 30, 30, 30, 30, 30, 30, false)]
    [InlineData(0, 0, 0, 0, 0, 0, 0, 900, false)]
    public void Observe_LeastOfEachPart_DecidesByRisesAndFalls(int a, int b, int c, int d, int e, int f, int g, int h, bool isLeak)
    {
        Parts(a, b, c, d, e, f, g, h);

        Observe(Math.Max(h, Threshold)).ShouldBe(isLeak ? LeakChange.Began : LeakChange.None);
    }

    [Fact]
    public void Observe_FewLive_IsNoLeak()
    {
        Parts(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19).ShouldAllBe(change => change == LeakChange.None);

        Observe(20).ShouldBe(LeakChange.Began);
    }

    [Fact]
    public void Observe_FallBetweenTwoLooks_IsNotMissed()
    {
        Parts(20, 21, 22, 23);
        _detector.Fell(5);
        Parts(24, 25, 26, 27);

        Observe(28).ShouldBe(LeakChange.None);
    }

    [Theory]
    [InlineData(100, 110, 120, 130, false)]
    [InlineData(100, 112, 124, 136, true)]
    public void Observe_YoungTasks_NeedMoreGrowthThanChance(int first, int second, int third, int fourth, bool isLeak)
    {
        Parts(oldestAge: 10, first, first, second, second, third, third, fourth, fourth);

        Observe(fourth, oldestAge: 10).ShouldBe(isLeak ? LeakChange.Began : LeakChange.None);
    }

    [Fact]
    public void Observe_EpisodeGoesOn_IsToldOnce()
    {
        Begin();
        Parts([.. Enumerable.Range(30, 100)]).ShouldAllBe(change => change == LeakChange.None);

        _detector.IsLeaking.ShouldBeTrue();
    }

    [Fact]
    public void Observe_StopsGrowing_IsStillALeak()
    {
        Begin();
        Parts([.. Enumerable.Repeat(28, 50)]).ShouldAllBe(change => change == LeakChange.None);

        _detector.IsLeaking.ShouldBeTrue();
    }

    [Fact]
    public void Observe_FallsBelowWhatWasReported_EndsAndMayBeginAgain()
    {
        Begin();
        Observe(26).ShouldBe(LeakChange.Ended);
        Observe(26).ShouldBe(LeakChange.None);
        Parts(26, 27, 28, 29, 30, 31, 32, 33).ShouldAllBe(change => change == LeakChange.None);

        Observe(34).ShouldBe(LeakChange.Began);
    }

    [Fact]
    public void Observe_WindowChanges_ForgetsThePast()
    {
        Parts(20, 21, 22, 23, 24, 25, 26, 27);

        _detector.Observe(_now, 28, Window, Window * 2, Threshold).ShouldBe(LeakChange.None);
        _now += Part;
        _detector.Observe(_now, 29, Window, Window * 2, Threshold).ShouldBe(LeakChange.None);
    }

    [Fact]
    public void Observe_TimeLeaps_CountsAsEqualParts()
    {
        foreach (var live in new[] { 20, 30, 40, 50 })
        {
            Observe(live).ShouldBe(LeakChange.None);
            _now += 2 * Part;
        }

        Observe(60).ShouldBe(LeakChange.Began);
        _now += 1_000 * Window;
        Observe(60).ShouldBe(LeakChange.None);
        _detector.IsLeaking.ShouldBeTrue();
    }

    [Fact]
    public void Observe_NumbersOfChance_AreHardlyEverReported()
    {
        // A hundred tasks that each live for a twentieth of a part: what comes and goes is new in each part.
        var random = new Random(20_261_121);
        var reports = 0;
        for (var part = 0; part < 20_000; part++)
        {
            for (var look = 0; look < 20; look++)
            {
                var live = 100 + (int)(10 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
                reports += _detector.Observe(_now, live, Part / 20, Window, Threshold) == LeakChange.Began ? 1 : 0;
                _now += Part / 20;
            }
        }

        reports.ShouldBe(0);
    }

    private void Begin()
    {
        Parts(20, 21, 22, 23, 24, 25, 26, 27);
        Observe(28).ShouldBe(LeakChange.Began);
    }

    private LeakChange[] Parts(params int[] live) => Parts(Window, live);

    /// <summary>Two looks into each part.</summary>
    private LeakChange[] Parts(long oldestAge, params int[] live) => [.. live.SelectMany(number =>
    {
        var first = Observe(number, oldestAge);
        _now += Part / 2;
        var second = Observe(number, oldestAge);
        _now += Part / 2;
        return new[] { first, second };
    })];

    private LeakChange Observe(int live, long oldestAge = Window) => _detector.Observe(_now, live, oldestAge, Window, Threshold);
}
