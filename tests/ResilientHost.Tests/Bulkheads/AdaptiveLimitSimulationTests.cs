using ResilientHost.Benchmarks.Simulations;

namespace ResilientHost.Tests.Bulkheads;

/// <summary>What the adaptive limits come to in a simulated world: 40 servers, 50 ms a call, 1,000 arrivals a second where 800 can be served.</summary>
public class AdaptiveLimitSimulationTests
{
    public static TheoryData<AdaptiveLimit, int> AlgorithmsAndSeeds => new()
    {
        { AdaptiveLimit.Aimd, 1 }, { AdaptiveLimit.Aimd, 2 }, { AdaptiveLimit.Aimd, 3 },
        { AdaptiveLimit.Gradient2, 1 }, { AdaptiveLimit.Gradient2, 2 }, { AdaptiveLimit.Gradient2, 3 },
    };

    [Theory]
    [MemberData(nameof(AlgorithmsAndSeeds))]
    public void CapacityDropsAndReturns_GoodputFollowsWithinSeconds(AdaptiveLimit algorithm, int seed)
    {
        var run = LimitSimulation.Run(Scenarios.CapacityDrop, algorithm, seed);

        double[] changes = [0, 60, 120];
        foreach (var change in changes)
        {
            run.SettledAfter(change, 0.95).ShouldBeLessThan(5, $"after {change} s");
            run.Goodput(change + 10, change + 60).ShouldBeGreaterThan(0.95, $"after {change} s");
        }

        run.MeanLimit(80, 120).ShouldBeLessThan(run.MeanLimit(20, 60) / 1.5, "less room where there is less capacity");
        run.MeanLimit(140, 180).ShouldBeGreaterThan(run.MeanLimit(80, 120) * 1.5, "and more again");
        run.End.InFlight.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(AlgorithmsAndSeeds))]
    public void EveryCallTakesTwiceAsLongForAMinute_GoodputStaysAndComesBack(AdaptiveLimit algorithm, int seed)
    {
        var run = LimitSimulation.Run(Scenarios.LatencyShift, algorithm, seed);

        // Gradient2 takes the shift for a queue, and gives up some of the room until its baseline has followed.
        run.Goodput(60, 120).ShouldBeGreaterThan(algorithm == AdaptiveLimit.Aimd ? 0.95 : 0.8);
        run.LowestLimit(60, 120).ShouldBeGreaterThanOrEqualTo(20, "half of the servers at least are in use");
        run.SettledAfter(120, 0.95).ShouldBeLessThan(5);
        run.Goodput(130, 180).ShouldBeGreaterThan(0.95);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void HalfOfTheCallsFailFast_Gradient2KeepsItsLimit(int seed)
    {
        var run = LimitSimulation.Run(Scenarios.FastFailures, AdaptiveLimit.Gradient2, seed);

        run.Goodput(60, 120).ShouldBeGreaterThan(0.95);
        run.LowestLimit(60, 120).ShouldBeGreaterThan(40, "fast errors are no reason to shrink");
        run.HighestLimit(60, 120).ShouldBeLessThan(run.HighestLimit(0, 60) + 30, "nor to grow");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void HalfOfTheCallsFailFast_AimdIsBackWithinSeconds(int seed)
    {
        var run = LimitSimulation.Run(Scenarios.FastFailures, AdaptiveLimit.Aimd, seed);

        run.LowestLimit(60, 120).ShouldBeGreaterThanOrEqualTo(1);
        run.SettledAfter(120, 0.95).ShouldBeLessThan(5);
        run.Goodput(125, 180).ShouldBeGreaterThan(0.95);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AFewCallsFailFast_AimdKeepsRoomForTheOthers(int seed)
    {
        Scenario scenario = new("few-failures", "A twentieth of the calls fails", 120, 1_000, [new(0, 40, 0.05, 0.05)]);

        LimitSimulation.Run(scenario, AdaptiveLimit.Aimd, seed).Goodput(10, 120).ShouldBeGreaterThan(0.95);
    }

    [Theory]
    [MemberData(nameof(AlgorithmsAndSeeds))]
    public void LightLoad_NobodyIsRefusedForLongAndTheLimitDoesNotRunAway(AdaptiveLimit algorithm, int seed)
    {
        var run = LimitSimulation.Run(Scenarios.LightLoad, algorithm, seed);

        run.Goodput(5, 120).ShouldBeGreaterThan(0.98);
        run.HighestLimit(0, 120).ShouldBeLessThan(100, "of 400, as no more than half of it is ever in use");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Overload_Gradient2KeepsTheQueueShorterThanAimd(int seed)
    {
        var aimd = LimitSimulation.Run(Scenarios.CapacityDrop, AdaptiveLimit.Aimd, seed);
        var gradient = LimitSimulation.Run(Scenarios.CapacityDrop, AdaptiveLimit.Gradient2, seed);

        gradient.MeanLatency(10, 60).ShouldBeLessThan(0.75 * aimd.MeanLatency(10, 60));
    }

    [Fact]
    public void SameSeed_SameRun()
    {
        var first = LimitSimulation.Run(Scenarios.LightLoad, AdaptiveLimit.Gradient2, seed: 5);

        LimitSimulation.Run(Scenarios.LightLoad, AdaptiveLimit.Gradient2, seed: 5).Samples.ShouldBe(first.Samples);
        LimitSimulation.Run(Scenarios.LightLoad, AdaptiveLimit.Gradient2, seed: 6).Samples.ShouldNotBe(first.Samples);
    }

    [Fact]
    public void Chart_AnyScenario_IsWellFormed()
    {
        var run = LimitSimulation.Run(Scenarios.LightLoad, AdaptiveLimit.Aimd);

        var svg = System.Xml.Linq.XDocument.Parse(SimulationChart.Draw(Scenarios.LightLoad, run, run));

        svg.Descendants().Count(element => element.Name.LocalName == "polyline").ShouldBe(6);
    }
}
