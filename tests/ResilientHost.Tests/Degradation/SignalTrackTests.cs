using ResilientHost.Degradation;

namespace ResilientHost.Tests.Degradation;

public sealed class SignalTrackTests
{
    private static readonly DegradationPolicy TwoSeconds = new(new DegradationOptions());
    private static readonly DegradationPolicy Unsmoothed = new(new DegradationOptions { Smoothing = TimeSpan.Zero });
    private readonly SignalTrack _track = new("backlog", new SignalThresholds(10, 5, IsEnabled: true));

    [Fact]
    public void Observe_FirstReading_IsTheValue()
    {
        _track.Observe(7, TimeSpan.Zero, TwoSeconds);
        _track.Value.ShouldBe(7);
    }

    [Fact]
    public void Observe_Step_FollowsTheTimeConstant()
    {
        _track.Observe(0, TimeSpan.Zero, TwoSeconds);
        for (var i = 0; i < 4; i++)
        {
            _track.Observe(10, TimeSpan.FromMilliseconds(500), TwoSeconds);
        }

        _track.Value.ShouldBe(10 * (1 - Math.Exp(-1)), 1e-9);
    }

    [Fact]
    public void Observe_SameTimeInOtherSteps_GivesTheSameValue()
    {
        var coarse = new SignalTrack("backlog", new SignalThresholds(10, 5, IsEnabled: true));
        coarse.Observe(0, TimeSpan.Zero, TwoSeconds);
        coarse.Observe(10, TimeSpan.FromSeconds(3), TwoSeconds);
        _track.Observe(0, TimeSpan.Zero, TwoSeconds);
        for (var i = 0; i < 30; i++)
        {
            _track.Observe(10, TimeSpan.FromMilliseconds(100), TwoSeconds);
        }

        _track.Value.ShouldBe(coarse.Value, 1e-9);
    }

    [Fact]
    public void Observe_BackToZeroWithExitZero_Arrives()
    {
        var track = new SignalTrack("backlog", new SignalThresholds(1, 0, IsEnabled: true));
        track.Observe(1_000_000, TimeSpan.Zero, TwoSeconds);
        for (var i = 0; i < 120; i++)
        {
            track.Observe(0, TimeSpan.FromMilliseconds(500), TwoSeconds);
        }

        track.PressureIn(TwoSeconds).ShouldBe(SignalPressure.Falling);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void Observe_NoNumber_TakesItsSayAndItsPast(double hostile)
    {
        _track.Observe(100, TimeSpan.Zero, TwoSeconds);
        _track.Observe(hostile, TimeSpan.FromSeconds(1), TwoSeconds);
        _track.PressureIn(TwoSeconds).ShouldBeNull();
        _track.Reading(TwoSeconds).Value.ShouldBeNull();

        _track.Observe(1, TimeSpan.FromSeconds(1), TwoSeconds);
        _track.Value.ShouldBe(1);
    }

    [Fact]
    public void Observe_LargestNumbersOfBothSigns_RemainsANumber()
    {
        _track.Observe(double.MaxValue, TimeSpan.Zero, TwoSeconds);
        _track.Observe(double.MinValue, TimeSpan.FromSeconds(1), TwoSeconds);
        double.IsFinite(_track.Value).ShouldBeTrue();

        _track.Observe(1, TimeSpan.FromHours(1), TwoSeconds);
        _track.PressureIn(TwoSeconds).ShouldBe(SignalPressure.Falling);
    }

    [Theory]
    [InlineData(10, "Rising")]
    [InlineData(9.999, "Holding")]
    [InlineData(5.001, "Holding")]
    [InlineData(5, "Falling")]
    [InlineData(-1, "Falling")]
    public void PressureIn_Thresholds_AreInclusive(double value, string pressure)
    {
        _track.Observe(value, TimeSpan.Zero, Unsmoothed);
        _track.PressureIn(Unsmoothed).ToString().ShouldBe(pressure);
    }

    [Fact]
    public void PressureIn_SignalWithoutASay_IsNoneButItsReadingShows()
    {
        var cpu = new SignalTrack(ResilienceDiagnostics.SignalNames.Cpu);
        var options = new DegradationOptions();
        options.Cpu.Enabled = false;
        var silent = new DegradationPolicy(options);
        cpu.Observe(1, TimeSpan.Zero, silent);

        cpu.PressureIn(silent).ShouldBeNull();
        cpu.Reading(silent).ShouldBe(new SignalReading("cpu", 1, 0.90, 0.75, IsEnabled: false));
    }

    [Fact]
    public void Board_SeveralSignals_TheWorstDecides()
    {
        var board = new SignalBoard([new("a", new(1, 0, true)), new("b", new(100, 10, true)), new("c", new(5, 1, true))]);

        board.Observe([0.5, 5, 0], TimeSpan.Zero, Unsmoothed).ShouldBe(SignalPressure.Holding);
        board.Worst.ShouldBe("a");
        board.Observe([0.5, 200, 0], TimeSpan.Zero, Unsmoothed).ShouldBe(SignalPressure.Rising);
        board.Worst.ShouldBe("b");
        board.Observe([double.NaN, double.NaN, double.NaN], TimeSpan.Zero, Unsmoothed).ShouldBe(SignalPressure.Falling);
        board.Worst.ShouldBeNull();
    }
}
