using ResilientHost.Degradation;

namespace ResilientHost.Tests.Degradation;

public sealed class ServiceLevelMachineTests
{
    private static readonly DegradationPolicy Default = new(new DegradationOptions());
    private readonly ServiceLevelMachine _machine = new();

    // One letter per 500 ms: up, hold, down. Dwell 2 s, up 2 s a level, down 10 s a level. Levels by their number at the same moments.
    [Theory]
    [InlineData("dddddddddd", "0000000000")]
    [InlineData("uuuu", "0000")]
    [InlineData("uuuuu", "00001")]
    [InlineData("uuuhuuuud", "000000000")]
    [InlineData("uuuduuuuu", "000000001")]
    [InlineData("uuuuuuuuu", "000011112")]
    [InlineData("uuuuuuuuuuuuuuuuuu", "000011112222333333")]
    [InlineData("uuuuuhhhhhhhhhhhhhh", "0000111111111111111")]
    [InlineData("uuuuudddd", "000011111")]
    [InlineData("uuuuuddddddddddd", "0000111111000000")]
    public void Observe_Signals_GiveLevels(string signals, string levels)
    {
        var seen = signals.Select((signal, index) =>
        {
            _machine.Observe(TimeSpan.FromSeconds(index * 0.5), Pressure(signal), Default);
            return (char)('0' + (int)_machine.Level);
        });

        new string([.. seen]).ShouldBe(levels);
    }

    [Fact]
    public void Observe_UnderPressure_GrowsByRamp()
    {
        Drive('u', 0, 2);
        _machine.Severity.ShouldBe(0.25, 1e-9);

        Drive('u', 2.5, 3);
        _machine.Severity.ShouldBe(0.75, 1e-9);
    }

    [Fact]
    public void Observe_BetweenThresholds_HoldsSeverity()
    {
        Drive('u', 0, 3);
        var held = _machine.Severity;
        Drive('h', 3.5, 60);

        _machine.Severity.ShouldBe(held);
        held.ShouldBeInRange(0.5, 1);
    }

    [Fact]
    public void Observe_RecoveryFromSurvival_TakesTheRampOfEachLevel()
    {
        Drive('u', 0, 20);
        _machine.Severity.ShouldBe(3);
        Drive('d', 20.5, 30.5);
        (_machine.Level, _machine.Severity).ShouldBe((ServiceLevel.Essential, 2));

        Drive('d', 31, 50.5);
        (_machine.Level, _machine.Severity).ShouldBe((ServiceLevel.Normal, 0));
    }

    [Fact]
    public void Observe_ShortRelief_StaysInTheLevelUntilTheDwellIsOver()
    {
        var fast = new DegradationPolicy(new DegradationOptions { RampDown = TimeSpan.Zero, RampUp = TimeSpan.Zero });
        Drive('u', 0, 2, fast);
        _machine.Level.ShouldBe(ServiceLevel.Reduced);
        _machine.Severity.ShouldBe(1);

        Drive('d', 2.5, 3.5, fast);
        _machine.Level.ShouldBe(ServiceLevel.Reduced);
        _machine.Severity.ShouldBeInRange(double.Epsilon, 0.01);

        Drive('d', 4, 4, fast);
        _machine.Level.ShouldBe(ServiceLevel.Normal);
    }

    [Fact]
    public void Observe_WithoutDwellAndRamps_StillGoesOneLevelAtATime()
    {
        var sudden = new DegradationPolicy(new DegradationOptions { MinimumDwell = TimeSpan.Zero, RampDown = TimeSpan.Zero, RampUp = TimeSpan.Zero });
        var moves = "uuuudddd".Select((signal, index) => _machine.Observe(TimeSpan.FromSeconds(index), Pressure(signal), sudden)).ToArray();

        moves.ShouldBe(
        [
            new(ServiceLevel.Normal, ServiceLevel.Reduced), new(ServiceLevel.Reduced, ServiceLevel.Essential), new(ServiceLevel.Essential, ServiceLevel.Survival), null,
            new(ServiceLevel.Survival, ServiceLevel.Essential), new(ServiceLevel.Essential, ServiceLevel.Reduced), new(ServiceLevel.Reduced, ServiceLevel.Normal), null,
        ]);
    }

    [Fact]
    public void Observe_AfterTheProcessWasSuspended_DoesNotTakeTheGapForPressure()
    {
        Drive('u', 0, 3);
        Drive('h', 3.5, 3.5);
        var before = _machine.Severity;
        _machine.Observe(TimeSpan.FromHours(1), SignalPressure.Rising, Default);

        _machine.Severity.ShouldBe(before);
    }

    [Fact]
    public void Observe_AnHourWithPressureAtBothEnds_MovesOneLevel()
    {
        Drive('u', 0, 0.5);
        _machine.Observe(TimeSpan.FromHours(1), SignalPressure.Rising, Default).ShouldBe(new ServiceLevelMove(ServiceLevel.Normal, ServiceLevel.Reduced));
        _machine.Severity.ShouldBe(1);
    }

    [Fact]
    public void Observe_TimeThatRunsBack_IsTakenForTheLast()
    {
        Drive('u', 10, 13);
        var before = (_machine.Level, _machine.Severity);
        _machine.Observe(TimeSpan.Zero, SignalPressure.Falling, Default).ShouldBeNull();
        _machine.Observe(TimeSpan.FromSeconds(1), SignalPressure.Falling, Default).ShouldBeNull();

        (_machine.Level, _machine.Severity).ShouldBe(before);
    }

    [Fact]
    public void Observe_PolicyChangedOnTheWay_GoesOnFromWhereItWas()
    {
        Drive('u', 0, 3);
        var before = _machine.Severity;
        var slow = new DegradationPolicy(new DegradationOptions { RampUp = TimeSpan.FromMinutes(10) });
        _machine.Observe(TimeSpan.FromSeconds(3.5), SignalPressure.Rising, slow);

        _machine.Severity.ShouldBe(before + (0.5 / 600), 1e-9);
    }

    [Fact]
    public void Reset_FromSurvival_IsNormalAndNeedsANewDwell()
    {
        Drive('u', 0, 20);
        _machine.Reset();
        (_machine.Level, _machine.Severity).ShouldBe((ServiceLevel.Normal, 0));

        Drive('u', 20.5, 22);
        _machine.Level.ShouldBe(ServiceLevel.Normal);
        Drive('u', 22.5, 22.5);
        _machine.Level.ShouldBe(ServiceLevel.Reduced);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Observe_RandomWalk_KeepsItsInvariants(int seed)
    {
        var random = new Random(seed);
        var policy = Default;
        var now = TimeSpan.Zero;
        var levelSince = TimeSpan.Zero;
        var steps = 0;
        var pressure = SignalPressure.Falling;
        for (var i = 0; i < 50_000; i++)
        {
            if (random.Next(500) == 0)
            {
                policy = new DegradationPolicy(new DegradationOptions
                {
                    MinimumDwell = TimeSpan.FromSeconds(random.Next(5)),
                    RampUp = TimeSpan.FromSeconds(random.Next(4)),
                    RampDown = TimeSpan.FromSeconds(random.Next(20)),
                });
            }

            pressure = random.Next(6) == 0 ? (SignalPressure)random.Next(3) : pressure;
            now += random.Next(200) == 0 ? TimeSpan.FromHours(random.NextDouble()) : TimeSpan.FromMilliseconds(random.Next(1_000));
            var (level, severity) = (_machine.Level, _machine.Severity);
            var move = _machine.Observe(now, pressure, policy);

            _machine.Severity.ShouldBeInRange(0, 3);
            ((int)_machine.Level).ShouldBe((int)Math.Ceiling(_machine.Severity));
            (pressure switch
            {
                SignalPressure.Rising => _machine.Severity >= severity,
                SignalPressure.Falling => _machine.Severity <= severity,
                _ => _machine.Severity == severity,
            }).ShouldBeTrue();
            if (move is { } made)
            {
                (made.From, made.To).ShouldBe((level, _machine.Level));
                Math.Abs(made.To - made.From).ShouldBe(1);
                (now - levelSince).ShouldBeGreaterThanOrEqualTo(steps == 0 ? TimeSpan.Zero : policy.MinimumDwell);
                levelSince = now;
                steps++;
            }
            else
            {
                _machine.Level.ShouldBe(level);
            }
        }

        steps.ShouldBeGreaterThan(100);
    }

    private static SignalPressure Pressure(char letter) => letter switch
    {
        'u' => SignalPressure.Rising,
        'h' => SignalPressure.Holding,
        _ => SignalPressure.Falling,
    };

    private void Drive(char letter, double from, double to, DegradationPolicy? policy = null)
    {
        for (var at = from; at <= to; at += 0.5)
        {
            _machine.Observe(TimeSpan.FromSeconds(at), Pressure(letter), policy ?? Default);
        }
    }
}
