using ResilientHost.History;

namespace ResilientHost.Tests.History;

public sealed class LatencyBucketsTests
{
    [Fact]
    public void Of_AnyDurationInRange_IsOffByFivePercentAtMost()
    {
        var random = new Random(7);
        for (var i = 0; i < 100_000; i++)
        {
            var seconds = 1e-6 * Math.Pow(6e8, random.NextDouble());

            var kept = LatencyBuckets.SecondsOf(LatencyBuckets.Of(seconds));

            Math.Abs((kept / seconds) - 1).ShouldBeLessThanOrEqualTo(0.05, $"{seconds} s");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1e-9)]
    public void Of_TooShort_IsTheFirst(double seconds) => LatencyBuckets.Of(seconds).ShouldBe(0);

    [Theory]
    [InlineData(600)]
    [InlineData(601)]
    [InlineData(double.MaxValue)]
    [InlineData(double.PositiveInfinity)]
    public void Of_TooLong_IsTheOneOfTenMinutes(double seconds) => LatencyBuckets.SecondsOf(LatencyBuckets.Of(seconds)).ShouldBe(600, 30);

    [Fact]
    public void Percentiles_OfHundred_AreThoseRanks()
    {
        var counts = new int[LatencyBuckets.Count];
        for (var milliseconds = 1; milliseconds <= 100; milliseconds++)
        {
            counts[LatencyBuckets.Of(milliseconds / 1000d)]++;
        }

        var (p50, p90, p99) = LatencyBuckets.Percentiles<int>(counts);

        p50!.Value.ShouldBe(0.050, 0.0025);
        p90!.Value.ShouldBe(0.090, 0.0045);
        p99!.Value.ShouldBe(0.099, 0.005);
    }

    [Fact]
    public void Percentiles_OfNothing_AreNone() => LatencyBuckets.Percentiles<int>(new int[LatencyBuckets.Count]).ShouldBe((null, null, null));

    [Fact]
    public void LatencyHistory_AfterFourSlots_HasForgotten()
    {
        var history = new LatencyHistory();
        var counts = new int[LatencyBuckets.Count];
        counts[LatencyBuckets.Of(1)] = int.MaxValue;
        history.Add(counts);
        history.Rotate(3);
        history.Percentiles.P99!.Value.ShouldBe(1, 0.05);

        history.Rotate(1);

        history.IsEmpty.ShouldBeTrue();
        history.Add(counts);
        history.Rotate(int.MaxValue);
        history.IsEmpty.ShouldBeTrue();
    }
}
