namespace ResilientHost.Tests.Bulkheads;

/// <summary>Shares as they come out in the long run, against the ideal of weighted max-min fairness: within a tenth of it.</summary>
public class FairShareSimulationTests
{
    private const int Room = 100;
    private const double Flood = 1000;

    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Measuring = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Share_OfFlooderAlone_IsEverything(int seed)
    {
        var simulation = Create(seed);
        var flooder = simulation.Tenant("flooder", Flood);

        Run(simulation);

        flooder.MeanInside.ShouldBeGreaterThan(0.99 * Room, flooder.ToString());
        flooder.OverShare.ShouldBe(0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Share_OfTwoFlooders_FollowsTheirWeightsAndNotTheirRates(int seed)
    {
        var simulation = Create(seed, ("heavy", 3));
        var heavy = simulation.Tenant("heavy", Flood / 2);
        var loud = simulation.Tenant("loud", Flood);

        Run(simulation);

        heavy.ShouldHave(0.75 * Room);
        loud.ShouldHave(0.25 * Room);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Share_OfLightCallersBesideAFlooder_IsAllTheyWantAndTheRestIsTheFlooders(int seed)
    {
        var simulation = Create(seed);
        var flooder = simulation.Tenant("flooder", Flood);
        Tenant[] light = [simulation.Tenant("five", 5), simulation.Tenant("one", 1), simulation.Tenant("rare", 0.1), simulation.Tenant("pages", 0.12, burst: 6)];

        Run(simulation);

        light.ShouldAllBe(caller => caller.Served > 0.9);
        flooder.ShouldHave(Room - light.Sum(caller => caller.MeanInside));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Share_OfAThousandVeryLightCallers_CostsTheFlooderLittleMoreThanTheyUse(int seed)
    {
        var simulation = Create(seed);
        var flooder = simulation.Tenant("flooder", Flood);
        var light = Enumerable.Range(0, 1000).Select(i => simulation.Tenant($"light {i}", 0.005)).ToList();

        Run(simulation);

        (light.Sum(caller => caller.Served * caller.Asked) / light.Sum(caller => caller.Asked)).ShouldBeGreaterThan(0.98);
        flooder.ShouldHave(Room - light.Sum(caller => caller.MeanInside));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Share_OfCallersOfEverySize_IsTheSmallerOnesWishAndAnEqualPartForTheOthers(int seed)
    {
        // Max-min: 10 and 20 are served; 70 is left for two who want 80 and 1000.
        var simulation = Create(seed);
        Tenant[] served = [simulation.Tenant("ten", 10), simulation.Tenant("twenty", 20)];
        Tenant[] equal = [simulation.Tenant("eighty", 80), simulation.Tenant("flooder", Flood)];

        Run(simulation);

        served.ShouldAllBe(caller => caller.Served > 0.9);
        equal.ShouldAllBe(caller => Math.Abs(caller.MeanInside - 35) < 3.5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Share_OfSlowCallsBesideAFloodOfQuickOnes_CountsPlacesAndNotCalls(int seed)
    {
        var simulation = Create(seed);
        var slow = simulation.Tenant("slow", 8, milliseconds: 1000);
        simulation.Tenant("flooder", Flood, milliseconds: 10);

        Run(simulation);

        slow.Served.ShouldBeGreaterThan(0.9, slow.ToString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Share_WithoutAFlooder_TurnsNextToNobodyAway(int seed)
    {
        var simulation = Create(seed);
        var callers = Enumerable.Range(0, 5).Select(i => simulation.Tenant($"{i}", 15)).ToList();

        Run(simulation);

        callers.ShouldAllBe(caller => caller.Served > 0.98);
    }

    [Fact]
    public void Share_OfFlooderAfterTheOthersHaveGone_IsEverythingAgainInSeconds()
    {
        var simulation = Create(seed: 1);
        var flooder = simulation.Tenant("flooder", Flood);
        var other = simulation.Tenant("other", Flood);
        Run(simulation);
        flooder.ShouldHave(Room / 2);

        other.Load = 0;
        simulation.Run(Settling);
        simulation.Run(Measuring);

        flooder.MeanInside.ShouldBeGreaterThan(0.99 * Room, flooder.ToString());
        flooder.OverShare.ShouldBe(0);

        simulation.Drain();
        (simulation.Shares.Inside, simulation.Bulkhead.Snapshot().InFlight).ShouldBe((0, 0));
    }

    [Fact]
    public void Share_OfNewcomerWhileAFlooderHasEverything_IsFoundInSeconds()
    {
        var simulation = Create(seed: 1);
        var flooder = simulation.Tenant("flooder", Flood);
        Run(simulation);
        flooder.MeanInside.ShouldBeGreaterThan(0.99 * Room);

        var newcomer = simulation.Tenant("newcomer", Flood);
        simulation.Run(TimeSpan.FromSeconds(1));
        simulation.Run(TimeSpan.FromSeconds(2));

        newcomer.ShouldHave(Room / 2);
    }

    private static FairShareSimulation Create(int seed, params (string Key, double Weight)[] weights)
    {
        BulkheadOptions options = new() { MaxConcurrency = Room };
        foreach (var (key, weight) in weights)
        {
            options.PartitionWeights[key] = weight;
        }

        return new FairShareSimulation(options, seed);
    }

    private static void Run(FairShareSimulation simulation)
    {
        simulation.Run(Settling);
        simulation.Run(Measuring);
    }
}
