namespace ResilientHost.Tests.Testing;

public class ManualTimeProviderTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Advance_SeveralTimersDue_FireInOrderOfDueTimeThenOfArmingEachAtItsOwnTime()
    {
        List<string> fired = [];
        var start = _time.GetTimestamp();
        Arm("late", 3);
        Arm("early", 1);
        Arm("twin-a", 2);
        Arm("twin-b", 2);

        _time.Advance(10 * Second);

        fired.ShouldBe(["early@1", "twin-a@2", "twin-b@2", "late@3"]);
        _time.GetElapsedTime(start).ShouldBe(10 * Second);
        _time.ArmedTimers.ShouldBe(0);

        void Arm(string name, int due) => _time.CreateTimer(
            _ => fired.Add($"{name}@{_time.GetElapsedTime(start).TotalSeconds}"), null, due * Second, Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public void Advance_OneTickBeforeDue_DoesNotFire()
    {
        var fired = 0;
        _time.CreateTimer(_ => fired++, null, Second, Timeout.InfiniteTimeSpan);

        _time.Advance(Second - TimeSpan.FromTicks(1));
        fired.ShouldBe(0);

        _time.Advance(TimeSpan.FromTicks(1));
        fired.ShouldBe(1);
    }

    [Fact]
    public void Advance_PeriodicTimer_FiresOncePerPeriodWithoutDrift()
    {
        List<double> at = [];
        var start = _time.GetTimestamp();
        using var timer = _time.CreateTimer(_ => at.Add(_time.GetElapsedTime(start).TotalSeconds), null, Second, 2 * Second);

        _time.Advance(6 * Second);
        at.ShouldBe([1, 3, 5]);

        _time.Advance(Second);
        at.ShouldBe([1, 3, 5, 7]);
        _time.ArmedTimers.ShouldBe(1);
    }

    [Fact]
    public void Advance_CallbackDisposesItselfAndANeighbourDueLater_NeitherFiresAgain()
    {
        var neighbour = 0;
        var own = 0;
        var later = _time.CreateTimer(_ => neighbour++, null, 2 * Second, Timeout.InfiniteTimeSpan);
        ITimer? self = null;
        self = _time.CreateTimer(
            _ =>
            {
                own++;
                self!.Dispose();
                later.Dispose();
            },
            null,
            Second,
            Second);

        _time.Advance(5 * Second);

        own.ShouldBe(1);
        neighbour.ShouldBe(0);
        _time.ArmedTimers.ShouldBe(0);
        self.Change(Second, Second).ShouldBeFalse();
    }

    [Fact]
    public void Advance_CallbackRearmsWithinReach_FiresAgainInTheSameAdvance()
    {
        List<double> at = [];
        var start = _time.GetTimestamp();
        ITimer? timer = null;
        timer = _time.CreateTimer(
            _ =>
            {
                at.Add(_time.GetElapsedTime(start).TotalSeconds);
                timer!.Change(2 * Second, Timeout.InfiniteTimeSpan);
            },
            null,
            Second,
            Timeout.InfiniteTimeSpan);

        _time.Advance(4 * Second);

        at.ShouldBe([1, 3]);
        _time.ArmedTimers.ShouldBe(1);
    }

    [Fact]
    public void Advance_CallbackRearmsForNowForEver_EndsWithAnError()
    {
        ITimer? timer = null;
        timer = _time.CreateTimer(_ => timer!.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan), null, Second, Timeout.InfiniteTimeSpan);

        Should.Throw<InvalidOperationException>(() => _time.Advance(Second));
    }

    [Fact]
    public void Advance_CallbackThrows_OthersFireAndTheErrorSurfaces()
    {
        var fired = 0;
        _time.CreateTimer(_ => throw new InvalidDataException("first"), null, Second, Timeout.InfiniteTimeSpan);
        _time.CreateTimer(_ => fired++, null, 2 * Second, Timeout.InfiniteTimeSpan);

        var error = Should.Throw<AggregateException>(() => _time.Advance(3 * Second));

        error.InnerExceptions.ShouldHaveSingleItem().Message.ShouldBe("first");
        fired.ShouldBe(1);
        _time.GetUtcNow().ShouldBe(new DateTimeOffset(2030, 1, 1, 0, 0, 3, TimeSpan.Zero));
    }

    [Fact]
    public void Advance_NestedInACallback_GoesAsFarAsTheFurtherOfBoth()
    {
        var start = _time.GetTimestamp();
        _time.CreateTimer(_ => _time.Advance(10 * Second), null, Second, Timeout.InfiniteTimeSpan);

        _time.Advance(2 * Second);

        _time.GetElapsedTime(start).ShouldBe(11 * Second);
    }

    [Fact]
    public void Advance_TimerDueNow_FiresEvenWhenAdvancedByZero()
    {
        var fired = 0;
        _time.CreateTimer(_ => fired++, null, TimeSpan.Zero, TimeSpan.Zero);
        fired.ShouldBe(0);

        _time.Advance(TimeSpan.Zero);

        fired.ShouldBe(1);
        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public void Advance_NegativeOrBeyondTheCalendar_ThrowsAndMovesNothing()
    {
        var before = (_time.GetTimestamp(), _time.GetUtcNow());

        Should.Throw<ArgumentOutOfRangeException>(() => _time.Advance(TimeSpan.FromTicks(-1)));
        Should.Throw<ArgumentOutOfRangeException>(() => _time.Advance(TimeSpan.MaxValue));

        (_time.GetTimestamp(), _time.GetUtcNow()).ShouldBe(before);
    }

    [Fact]
    public void SetUtcNow_WallClockJumpsBack_TimersAndTimestampsStay()
    {
        var fired = 0;
        var start = _time.GetTimestamp();
        _time.CreateTimer(_ => fired++, null, Second, Timeout.InfiniteTimeSpan);

        _time.SetUtcNow(new DateTimeOffset(1999, 12, 31, 0, 0, 0, TimeSpan.Zero));
        _time.GetTimestamp().ShouldBe(start);
        fired.ShouldBe(0);

        _time.Advance(Second);
        fired.ShouldBe(1);
        _time.GetUtcNow().ShouldBe(new DateTimeOffset(1999, 12, 31, 0, 0, 1, TimeSpan.Zero));
    }

    [Fact]
    public void CreateTimer_DurationsTheSystemWouldRefuse_AreRefused()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => Create(TimeSpan.FromMilliseconds(-2), Second));
        Should.Throw<ArgumentOutOfRangeException>(() => Create(Second, TimeSpan.FromMilliseconds(-2)));
        Should.Throw<ArgumentOutOfRangeException>(() => Create(TimeSpan.FromMilliseconds(uint.MaxValue), Second));
        _time.ArmedTimers.ShouldBe(0);

        void Create(TimeSpan due, TimeSpan period) => _time.CreateTimer(_ => { }, null, due, period);
    }

    [Fact]
    public void CreateTimer_InfiniteDueTime_IsNotArmedUntilChanged()
    {
        var fired = 0;
        using var timer = _time.CreateTimer(_ => fired++, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _time.ArmedTimers.ShouldBe(0);

        timer.Change(Second, Timeout.InfiniteTimeSpan).ShouldBeTrue();
        _time.Advance(Second);

        fired.ShouldBe(1);
    }

    [Fact]
    public void Advance_Callback_RunsInTheExecutionContextOfItsCreator()
    {
        AsyncLocal<string> local = new() { Value = "creator" };
        string? seen = null;
        _time.CreateTimer(_ => seen = local.Value, null, Second, Timeout.InfiniteTimeSpan);
        local.Value = "advancer";

        _time.Advance(Second);

        seen.ShouldBe("creator");
        local.Value.ShouldBe("advancer");
    }
}
