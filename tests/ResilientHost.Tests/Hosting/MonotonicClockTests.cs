using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;
using ResilientHost.Tests.Contract;

namespace ResilientHost.Tests.Hosting;

public sealed class MonotonicClockTests
{
    [Fact]
    public void CoarseTimestamp_OfSystemTime_IsOnTheLineOfTheExactOneAndLittleBehind()
    {
        var clock = new MonotonicClock(null);
        var before = clock.Timestamp();
        var coarse = clock.CoarseTimestamp();
        var after = clock.Timestamp();

        coarse.ShouldBeInRange(before - clock.ToTimestampTicks(TimeSpan.FromMilliseconds(50)), after);
    }

    [Fact]
    public void CoarseTimestamp_OfManualTime_IsExact()
    {
        var time = new ManualTimeProvider();
        var clock = new MonotonicClock(time);
        time.Advance(TimeSpan.FromTicks(7));

        clock.CoarseTimestamp().ShouldBe(clock.Timestamp());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(49, 0)]
    [InlineData(50, 1)]
    [InlineData(149, 1)]
    [InlineData(150, 2)]
    [InlineData(long.MaxValue, long.MaxValue / 100)]
    [InlineData(-150, -2)]
    public void ToTimeSpan_OfNanoseconds_IsTheNearestTick(long nanoseconds, long ticks) =>
        new MonotonicClock(new OtherClock(new ManualTimeProvider(), frequency: 1_000_000_000)).ToTimeSpan(nanoseconds).Ticks.ShouldBe(ticks);

    [Fact]
    public void Elapsed_BackwardsInTime_IsZero() => new MonotonicClock(null).Elapsed(10, 5).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void ToTimestampTicks_LongestDuration_CanBeAddedToATimestamp()
    {
        var ticks = new MonotonicClock(null).ToTimestampTicks(TimeSpan.MaxValue);

        checked(ticks + (long.MaxValue / 2)).ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(249, true)]
    [InlineData(250, false)]
    public void NeedsExactClock_BySlowCallDuration_IsForShortOnesOnly(int? milliseconds, bool expected)
    {
        var options = new CircuitBreakerOptions { SlowCallDuration = milliseconds is { } value ? TimeSpan.FromMilliseconds(value) : null };

        CircuitPolicy.Create("db", options, new MonotonicClock(null)).NeedsExactClock.ShouldBe(expected);
    }

    [Fact]
    public void UtcAt_OfSystemTime_IsTheSameWheneverItIsAsked()
    {
        var clock = new MonotonicClock(null);
        var timestamp = clock.Timestamp();
        var first = clock.UtcAt(timestamp, clock.CoarseTimestamp());

        for (var i = 0; i < 1_000; i++)
        {
            clock.UtcAt(timestamp, clock.CoarseTimestamp()).ShouldBe(first);
        }
    }

    [Theory]
    [InlineData(0.02, 0)]
    [InlineData(3_600, 3_600)]
    [InlineData(-3_600, -3_600)]
    public void UtcAt_WallClockIsSet_FollowsItButNotItsJitter(double setBy, double expected)
    {
        var time = new ManualTimeProvider();
        var clock = new MonotonicClock(time);
        var timestamp = clock.Timestamp();
        var before = clock.UtcAt(timestamp, timestamp);
        time.Advance(TimeSpan.FromMinutes(1));
        time.SetUtcNow(time.GetUtcNow() + TimeSpan.FromSeconds(setBy));

        (clock.UtcAt(timestamp, clock.Timestamp()) - before).ShouldBe(TimeSpan.FromSeconds(expected));
    }
}
