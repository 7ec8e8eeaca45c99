namespace ResilientHost.IntegrationTests.Soak;

public sealed class SoakTrendTests
{
    private const int RequestsPerSample = 5_000;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Trend_NoiseAndOutliersAroundALeak_IsTheLeakAlone(double bytesPerRequest)
    {
        var random = new Random(7);
        var samples = Enumerable.Range(0, 100).Select(sample => Sample(
            sample, 5_000_000 + (bytesPerRequest * sample * RequestsPerSample) + random.Next(-120_000, 120_000) + (sample % 10 == 9 ? 5_000_000 : 0))).ToArray();

        var trend = SoakTrend.Of(samples, static sample => sample.HeapBytes);

        trend.PerRequest.ShouldBe(bytesPerRequest, tolerance: 0.2);
        trend.Growth.ShouldBe(trend.PerRequest * 99 * RequestsPerSample, tolerance: 1);
    }

    [Fact]
    public void Trend_OneSample_IsFlat() => SoakTrend.Of([Sample(0, 1)], static sample => sample.HeapBytes).ShouldBe(new SoakTrend(0, 0, 1, 1, 1));

    private static SoakSample Sample(int number, double heap) => new(number, number * RequestsPerSample, (long)heap, 0, 0, 0, 0);
}
