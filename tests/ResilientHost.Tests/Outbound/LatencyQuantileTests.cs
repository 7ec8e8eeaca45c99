using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

public sealed class LatencyQuantileTests
{
    private readonly LatencyQuantile _latency = new();

    [Fact]
    public void Quantile_FewerThanTwenty_IsUnknown()
    {
        _latency.Quantile(0.5).ShouldBeNull();
        Record(19, 5);
        _latency.Quantile(0.5).ShouldBeNull();
        Record(1, 5);
        _latency.Quantile(0.5).ShouldNotBeNull();
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.9)]
    [InlineData(0.95)]
    [InlineData(0.99)]
    [InlineData(0.999)]
    [InlineData(1)]
    public void Quantile_OfEvenlySpreadLatencies_IsTheTrueOneOrUpToAnEighthMore(double quantile)
    {
        for (var i = 1; i <= 1000; i++)
        {
            _latency.Record(TimeSpan.FromMilliseconds(i));
        }

        _latency.Quantile(quantile)!.Value.TotalMilliseconds.ShouldBeInRange(quantile * 1000, (quantile * 1000 * 1.125) + 0.001);
    }

    [Fact]
    public void Quantile_LatenciesOlderThanTheLatest_AreForgotten()
    {
        Record(5000, 1000);
        Record(LatencyQuantile.Kept, 10);
        _latency.Quantile(1)!.Value.TotalMilliseconds.ShouldBeInRange(10, 11.25);
    }

    [Theory]
    [InlineData(-5)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(1_000)]
    [InlineData(10_000_000)]
    [InlineData(3_600_000_000)]
    public void Quantile_OfOneValue_IsJustAboveIt(long microseconds)
    {
        for (var i = 0; i < 30; i++)
        {
            _latency.Record(TimeSpan.FromMicroseconds(microseconds));
        }

        var value = Math.Max(microseconds, 0);
        _latency.Quantile(0.5)!.Value.TotalMicroseconds.ShouldBeInRange(value + 0.5, (value * 1.125) + 1);
    }

    [Fact]
    public void Record_BeyondAllBuckets_CountsAsTheLast()
    {
        for (var i = 0; i < 30; i++)
        {
            _latency.Record(TimeSpan.MaxValue);
        }

        _latency.Quantile(0.5)!.Value.ShouldBeGreaterThan(TimeSpan.FromHours(2));
    }

    [Fact]
    public void Record_InParallel_LosesNone()
    {
        Parallel.For(0, 100_000, i => _latency.Record(TimeSpan.FromMilliseconds(i % 2 == 0 ? 1 : 100)));
        _latency.Quantile(0.3)!.Value.TotalMilliseconds.ShouldBeInRange(1, 1.2);
        Record(LatencyQuantile.Kept, 3);
        _latency.Quantile(0.001)!.Value.ShouldBe(_latency.Quantile(1)!.Value);
    }

    [Fact]
    public void Record_Warm_AllocatesNothing()
    {
        AllocatedBytes.Of(() =>
        {
            Record(1000, 3);
            _latency.Quantile(0.9);
        }).ShouldBe(0);
    }

    private void Record(int times, double milliseconds)
    {
        for (var i = 0; i < times; i++)
        {
            _latency.Record(TimeSpan.FromMilliseconds(milliseconds));
        }
    }
}
