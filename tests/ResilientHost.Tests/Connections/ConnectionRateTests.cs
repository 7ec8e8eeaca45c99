using ResilientHost.Connections;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Connections;

public class ConnectionRateTests
{
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    public void Take_AtOnce_GivesOneSecondsWorth(int perSecond)
    {
        var rate = new ConnectionRate(new MonotonicClock(_time));

        Taken(rate, perSecond, 3 * perSecond).ShouldBe(perSecond);
    }

    [Fact]
    public void Take_OverTime_GivesTheRate()
    {
        var rate = new ConnectionRate(new MonotonicClock(_time));
        Taken(rate, 100, 100);
        var taken = 0;
        for (var tenMilliseconds = 0; tenMilliseconds < 1000; tenMilliseconds++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            taken += Taken(rate, 100, 5);
        }

        taken.ShouldBe(1000);
    }

    [Fact]
    public void Take_AfterALongPause_GivesNoMoreThanOneSecondsWorth()
    {
        var rate = new ConnectionRate(new MonotonicClock(_time));
        Taken(rate, 10, 10);
        _time.Advance(TimeSpan.FromDays(400));

        Taken(rate, 10, 100).ShouldBe(10);
    }

    [Fact]
    public void Take_AtALowerRate_GivesNoMoreThanThat()
    {
        var rate = new ConnectionRate(new MonotonicClock(_time));
        Taken(rate, 100, 1);

        Taken(rate, 5, 100).ShouldBe(5);
    }

    [Fact]
    public void Take_FromManyThreads_GivesEachTokenOnce()
    {
        var rate = new ConnectionRate(new MonotonicClock(_time));
        var taken = 0;

        Parallel.For(0, 8, _ => Interlocked.Add(ref taken, Taken(rate, 1000, 1000)));

        taken.ShouldBe(1000);
    }

    private static int Taken(ConnectionRate rate, int perSecond, int asked) => Enumerable.Range(0, asked).Count(_ => rate.Take(perSecond));
}
