namespace ResilientHost.Tests.Contract;

public sealed partial class CircuitBreakerContractTests
{
    public static TheoryData<long, long> Clocks
    {
        get
        {
            var rows = new TheoryData<long, long>();
            foreach (var frequency in new[] { 1L, 1_000L, 3_579_545L, TimeSpan.TicksPerSecond, 1_000_000_000L, 3_000_000_000L })
            {
                foreach (var start in new[] { 0L, -3L, 1L << 61, -(1L << 61) })
                {
                    rows.Add(frequency, start);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Clocks))]
    public void State_AnyClock_BreaksHalfOpensAndLosesProbesOnTime(long frequency, long start)
    {
        var breaker = MakeOpen(clock: new OtherClock(_time, frequency, start));
        Refuse(breaker).RetryAfter.ShouldBe(5 * Second);
        _time.Advance(4 * Second);
        Refuse(breaker).RetryAfter.ShouldBe(Second);
        _time.Advance(Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        Enter(breaker);
        _time.Advance(9 * Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        _time.Advance(Second);

        breaker.State.ShouldBe(CircuitState.Open);
        Refuse(breaker).RetryAfter.ShouldBe(10 * Second);
    }

    [Theory]
    [MemberData(nameof(Clocks))]
    public void Exit_AnyClock_JudgesTheWindowAndSlownessByIt(long frequency, long start)
    {
        var breaker = Make(o => (o.SlowCallDuration, o.MinimumThroughput) = (2 * Second, 100), new OtherClock(_time, frequency, start));
        SlowCall(breaker, 2 * Second, CallOutcome.Succeeded);
        SlowCall(breaker, Second, CallOutcome.Failed);

        (breaker.Snapshot().Calls, breaker.Snapshot().SlowCalls, breaker.Snapshot().Failures).ShouldBe((2, 1, 1));
        _time.Advance(10 * Second);
        breaker.Snapshot().Calls.ShouldBe(0);
        Call(breaker, CallOutcome.Failed);
        breaker.Snapshot().Calls.ShouldBe(1);
    }

    [Theory]
    [MemberData(nameof(Clocks))]
    public void State_AnyClockManyDaysLater_StillWorks(long frequency, long start)
    {
        var breaker = Make(o => (o.BreakDuration, o.MaxBreakDuration, o.SamplingDuration) = (TimeSpan.FromDays(1), TimeSpan.FromDays(1), TimeSpan.FromDays(1)), new OtherClock(_time, frequency, start));
        _time.Advance(TimeSpan.FromDays(90));
        Trip(breaker);
        Refuse(breaker).RetryAfter.ShouldBe(TimeSpan.FromDays(1));
        _time.Advance(TimeSpan.FromDays(1) - Second);
        breaker.State.ShouldBe(CircuitState.Open);
        _time.Advance(Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
    }

    [Fact]
    public void TryEnter_ClockCoarserThanTheBreak_NeverRefusesWithANegativeRetryAfter()
    {
        var breaker = MakeOpen(o => o.BreakDuration = TimeSpan.FromMilliseconds(300), new OtherClock(_time, 1));

        for (var i = 0; i < 40; i++)
        {
            if (!breaker.TryEnter(out _, out var refusal))
            {
                (refusal.RetryAfter ?? TimeSpan.Zero).ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
            }

            _time.Advance(TimeSpan.FromMilliseconds(100));
        }
    }

    [Theory]
    [InlineData(10, 268_435_456L - 1_000)]
    [InlineData(10, 268_435_456L - 500_000)]
    [InlineData(10, 268_435_456L + 1)]
    [InlineData(1_000, (268_435_456L * 100) - 50_000_000)]
    public void Exit_FirstFailuresAfterAVeryLongHealthyTime_AreCounted(int samplingMilliseconds, long laterMilliseconds)
    {
        var breaker = Make(o => o.SamplingDuration = TimeSpan.FromMilliseconds(samplingMilliseconds));
        Call(breaker, CallOutcome.Succeeded);
        _time.Advance(TimeSpan.FromMilliseconds(laterMilliseconds));

        Trip(breaker);
    }

    [Theory]
    [InlineData(1L)]
    [InlineData(1_000L)]
    public void Exit_ClockCoarserThanSlowCallDuration_QuickerCallIsNotSlow(long frequency)
    {
        var slowFrom = TimeSpan.FromSeconds(1.5 / frequency);
        var breaker = Make(o => (o.SlowCallDuration, o.MinimumThroughput) = (slowFrom, 100), new OtherClock(_time, frequency));

        SlowCall(breaker, TimeSpan.FromSeconds(1.0 / frequency), CallOutcome.Succeeded);
        breaker.Snapshot().SlowCalls.ShouldBe(0);
        SlowCall(breaker, TimeSpan.FromSeconds(2.0 / frequency), CallOutcome.Succeeded);
        breaker.Snapshot().SlowCalls.ShouldBe(1);
    }

    [Fact]
    public void State_ClockCoarserThanTheBreak_DoesNotEndItEarly()
    {
        var breaker = MakeOpen(o => o.BreakDuration = TimeSpan.FromSeconds(1.5), new OtherClock(_time, 1));
        _time.Advance(Second);
        breaker.State.ShouldBe(CircuitState.Open);
        _time.Advance(Second);

        breaker.State.ShouldBe(CircuitState.HalfOpen);
    }

    [Fact]
    public void TryEnter_CoresClockALittleBehind_NeverTellsMoreThanTheBreak()
    {
        var clock = new SkewedClock(_time);
        var breaker = MakeOpen(o => o.MaxBreakDuration = 5 * Second, clock);
        clock.Behind = TimeSpan.FromMilliseconds(10);

        Refuse(breaker).RetryAfter.ShouldBe(5 * Second);
        breaker.Snapshot().RetryAfter.ShouldBe(5 * Second);
    }

    [Fact]
    public void Exit_CoresClockBehindThePermits_IsNeitherSlowNorLost()
    {
        var clock = new SkewedClock(_time);
        var breaker = Make(o => o.SlowCallDuration = TimeSpan.FromTicks(1), clock);
        _time.Advance(Second);
        var permit = Enter(breaker);
        clock.Behind = TimeSpan.FromMilliseconds(10);
        breaker.Exit(permit, CallOutcome.Failed);

        (breaker.Snapshot().Calls, breaker.Snapshot().Failures, breaker.Snapshot().SlowCalls).ShouldBe((1, 1, 0));
    }

    private sealed class SkewedClock(ManualTimeProvider time) : TimeProvider
    {
        public TimeSpan Behind { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => time.GetTimestamp() - Behind.Ticks;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow();
    }

    [Fact]
    public void State_ClockStandsStill_NothingMovesByItself()
    {
        var breaker = MakeOpen();
        for (var i = 0; i < 1000; i++)
        {
            Refuse(breaker).RetryAfter.ShouldBe(5 * Second);
        }

        breaker.Snapshot().Refused.ShouldBe(1000);
    }

    [Fact]
    public void State_WallClockJumps_BreakIsUnmoved()
    {
        foreach (var wall in new[] { DateTimeOffset.MinValue, DateTimeOffset.MaxValue, DateTimeOffset.UnixEpoch })
        {
            var time = new ManualTimeProvider();
            var breaker = Make(clock: time);
            Trip(breaker);
            time.SetUtcNow(wall);
            breaker.State.ShouldBe(CircuitState.Open);
            time.SetUtcNow(DateTimeOffset.UnixEpoch);
            time.Advance(5 * Second);
            breaker.State.ShouldBe(CircuitState.HalfOpen);
        }
    }

    [Fact]
    public async Task State_WallClockAtItsBeginningWhenAnOverdueHalfOpenIsSeen_StillMoves()
    {
        var breaker = MakeOpen();
        var events = Listen(breaker);
        _time.Advance(TimeSpan.FromHours(1));
        _time.SetUtcNow(DateTimeOffset.MinValue);

        breaker.State.ShouldBe(CircuitState.HalfOpen);
        Enter(breaker);
        (await EventsSoFar(breaker, events)).Count.ShouldBe(1);
    }
}
