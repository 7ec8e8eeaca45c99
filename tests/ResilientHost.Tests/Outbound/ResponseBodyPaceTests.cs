using ResilientHost.Hosting;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

public sealed class ResponseBodyPaceTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    private readonly ResponseBodyPace _pace = new(100, TimeSpan.FromSeconds(10), new MonotonicClock(new ManualTimeProvider()));

    [Fact]
    public void Pace_OfABodyThatHasJustBegun_LeavesTheGrace() => _pace.Left(0, 0).ShouldBe(TimeSpan.FromSeconds(10));

    [Fact]
    public void Pace_OfAWaitThatGoesOn_LeavesWhatIsLeftOfTheGrace() => _pace.Left(5 * Second, 9 * Second).ShouldBe(TimeSpan.FromSeconds(6));

    [Fact]
    public void Pace_OfAWaitBeyondTheGrace_LeavesNothing() => _pace.Left(0, 11 * Second).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void Pace_OfAGigabyteThatCameQuickly_LeavesNoMoreThanTheGrace()
    {
        _pace.Came(int.MaxValue);
        _pace.Left(0, 0).ShouldBe(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Pace_AtExactlyTheRate_NeverEnds()
    {
        for (var i = 0; i < 10_000; i++)
        {
            _pace.Waited(i * Second, (i + 1) * Second);
            _pace.Came(100);
        }

        _pace.Left(0, 0).ShouldBe(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Pace_AtHalfTheRate_EndsAfterTwiceTheGrace()
    {
        var seconds = 0;
        while (_pace.Left(0, 0) > TimeSpan.Zero && seconds < 1000)
        {
            _pace.Waited(0, Second);
            _pace.Came(50);
            seconds++;
        }

        seconds.ShouldBe(20);
    }

    [Fact]
    public void Pace_OfTimeInWhichNobodyWaited_DoesNotCount()
    {
        _pace.Waited(0, Second);
        _pace.Left(1000 * Second, 1000 * Second).ShouldBe(TimeSpan.FromSeconds(9));
    }

    [Fact]
    public void Pace_OfAClockThatRanBackwards_CountsNothing()
    {
        _pace.Waited(Second, 0);
        _pace.Left(Second, 0).ShouldBe(TimeSpan.FromSeconds(10));
    }
}
