using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed class RestartIntensityTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly RestartIntensity _intensity = new();

    [Theory]
    [InlineData("1 in 5", new double[] { 0, 5 }, 2)]
    [InlineData("1 in 5", new[] { 0, 5.0000001 }, 0)]
    [InlineData("0 in 5", new double[] { 0 }, 1)]
    [InlineData("2 in 5", new double[] { 0, 1, 2 }, 3)]
    [InlineData("2 in 5", new double[] { 0, 1, 6, 7, 11 }, 5)]
    [InlineData("2 in 5", new[] { 0, 1, 6, 7, 11.0000001 }, 0)]
    [InlineData("2 in 5", new double[] { 0, 3, 6, 9, 12, 15, 18 }, 0)]
    [InlineData("3 in 5", new double[] { 0, 0, 0, 0 }, 4)]
    public void Count_OtpsPeriod_GivesUpOnTheRestartThatIsOneMoreThanTheIntensityWithBothEndsIncluded(string allowed, double[] at, int givesUpOn)
    {
        var parts = allowed.Split(" in ");
        RestartLimits limits = new(int.Parse(parts[0]), int.Parse(parts[1]) * Second, null, Second);

        var first = Array.FindIndex(at, seconds => _intensity.Count(TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond)), limits) is not null) + 1;

        first.ShouldBe(givesUpOn);
    }

    [Fact]
    public void Count_SuturesDefaults_FiveFailuresAtOnceAreAllowedAndTheSixthIsNot()
    {
        RestartLimits limits = new(1_000_000, Second, 5.0, 30 * Second);

        for (var failure = 1; failure <= 5; failure++)
        {
            _intensity.Count(Second, limits).ShouldBeNull();
        }

        _intensity.Count(Second, limits).ShouldBe("a failure count of 6, which halves every 00:00:30, exceeds 5");
    }

    [Fact]
    public void Count_SuturesDecay_OneFailurePerHalfLifeConvergesToTwo()
    {
        RestartLimits limits = new(1_000_000, Second, 2.0, 30 * Second);

        for (var failure = 0; failure < 50; failure++)
        {
            _intensity.Count(failure * 30 * Second, limits).ShouldBeNull();
        }

        // 2 × 0.5^(29/30) + 1 > 2: a little faster than the half-life is too fast.
        _intensity.Count((49 * 30 * Second) + (29 * Second), limits).ShouldNotBeNull();
    }

    [Fact]
    public void Count_BothLimits_EitherGivesUp()
    {
        RestartLimits limits = new(1, 10 * Second, 100.0, 30 * Second);

        _intensity.Count(Second, limits).ShouldBeNull();
        _intensity.Count(Second, limits).ShouldBe("more than 1 restarts within 00:00:10");
    }

    [Fact]
    public void Clear_ForgetsBothCounts()
    {
        RestartLimits limits = new(1, 10 * Second, 1.5, 30 * Second);
        _intensity.Count(Second, limits);

        _intensity.Clear();

        _intensity.Count(Second, limits).ShouldBeNull();
    }
}
