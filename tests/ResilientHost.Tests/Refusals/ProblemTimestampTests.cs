using System.Globalization;
using System.Text;
using ResilientHost.Hosting;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Refusals;

public sealed class ProblemTimestampTests
{
    [Fact]
    public void CopyTo_ManualTime_FollowsEveryChangeOfTheWallClock()
    {
        var time = new ManualTimeProvider();
        var timestamp = new ProblemTimestamp(new MonotonicClock(time));

        Read(timestamp).ShouldBe(time.GetUtcNow());
        time.SetUtcNow(time.GetUtcNow().AddDays(-1));
        Read(timestamp).ShouldBe(time.GetUtcNow());
    }

    [Fact]
    public void CopyTo_SystemTime_IsBetweenTheTicksAroundIt()
    {
        var clock = new MonotonicClock(null);
        var timestamp = new ProblemTimestamp(clock);
        var before = clock.UtcNow.AddMilliseconds(-50);

        var told = Read(timestamp);

        told.ShouldBeInRange(before, clock.UtcNow);
    }

    private static DateTimeOffset Read(ProblemTimestamp timestamp)
    {
        var text = new byte[ProblemTimestamp.Length];
        timestamp.CopyTo(text);
        return DateTimeOffset.ParseExact(Encoding.ASCII.GetString(text), "O", CultureInfo.InvariantCulture);
    }
}
