using Microsoft.Extensions.Logging;
using ResilientHost.Connections;

namespace ResilientHost.Tests.Connections;

public sealed class ConnectionDoorTests : IDisposable
{
    private const string Descriptors = ResilienceDiagnostics.ConnectionTagValues.Descriptors;
    private const string Survival = ResilienceDiagnostics.ConnectionTagValues.Survival;

    private readonly DoorUnderTest _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Admits_AllWell_TakesEveryConnection()
    {
        _test.Admitted(10_000).ShouldBe(10_000);

        _test.Door.ClosesConnections.ShouldBeFalse();
        _test.Refused(Descriptors).ShouldBe(0);
        _test.Logs.Entries.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(63, false)]
    [InlineData(0, false)]
    [InlineData(-5, false)]
    public void Admits_ReserveTouched_ClosesTheConnection(int left, bool admits)
    {
        _test.Descriptors.Left = left;

        _test.Door.Admits().ShouldBe(admits);

        _test.Refused(Descriptors).ShouldBe(admits ? 0 : 1);
        _test.Door.ClosesConnections.ShouldBe(!admits);
    }

    [Fact]
    public void Admits_NoReserve_TakesTheLastDescriptor()
    {
        _test.Options.ReservedDescriptors = 0;
        _test.Descriptors.Left = 1;

        _test.Door.Admits().ShouldBeTrue();
        _test.Door.ClosesConnections.ShouldBeFalse();
    }

    [Fact]
    public void Admits_SmallLimit_ReservesAQuarterOfIt()
    {
        (_test.Descriptors.Limit, _test.Descriptors.Left) = (100, 25);
        _test.Door.Admits().ShouldBeTrue();

        _test.Descriptors.Left = 24;
        _test.Door.Admits().ShouldBeFalse();
    }

    [Fact]
    public void Admits_CountUnknown_TakesEveryConnection()
    {
        _test.Descriptors.Left = null;

        _test.Door.Admits().ShouldBeTrue();
    }

    [Fact]
    public void Admits_CountThrows_TakesTheConnection()
    {
        _test.Descriptors.Error = new InvalidOperationException();

        _test.Door.Admits().ShouldBeTrue();
        Should.NotThrow(_test.Door.Look);
    }

    [Theory]
    [InlineData(ServiceLevel.Normal)]
    [InlineData(ServiceLevel.Reduced)]
    [InlineData(ServiceLevel.Essential)]
    public void Admits_BelowSurvival_HasNoRate(ServiceLevel level)
    {
        _test.Level.Current = level;

        _test.Admitted(1000).ShouldBe(1000);
        _test.Door.ClosesConnections.ShouldBeFalse();
    }

    [Fact]
    public void Admits_AtSurvival_TakesTheRate()
    {
        _test.Level.Current = ServiceLevel.Survival;

        _test.Admitted(250).ShouldBe(100);
        _test.Time.Advance(TimeSpan.FromMilliseconds(500));
        _test.Admitted(250).ShouldBe(50);

        _test.Refused(Survival).ShouldBe(350);
        _test.Door.ClosesConnections.ShouldBeTrue();
    }

    [Fact]
    public void Admits_SurvivalWithoutRate_TakesEveryConnection()
    {
        _test.Options.SurvivalConnectionsPerSecond = null;
        _test.Level.Current = ServiceLevel.Survival;

        _test.Admitted(1000).ShouldBe(1000);
        _test.Door.ClosesConnections.ShouldBeTrue();
    }

    [Fact]
    public void Admits_RefusedForDescriptors_CostsNoTokenOfSurvival()
    {
        _test.Level.Current = ServiceLevel.Survival;
        _test.Descriptors.Left = 10;
        _test.Admitted(500).ShouldBe(0);
        _test.Descriptors.Left = 900;

        _test.Admitted(500).ShouldBe(100);
    }

    [Fact]
    public void Admits_SurvivalOver_TakesEveryConnectionAtOnce()
    {
        _test.Level.Current = ServiceLevel.Survival;
        _test.Admitted(500);
        _test.Level.Current = ServiceLevel.Essential;

        _test.Admitted(500).ShouldBe(500);
        _test.Door.ClosesConnections.ShouldBeFalse();
    }

    [Fact]
    public void Door_TurnedOffInMidTrouble_LetsGo()
    {
        _test.Level.Current = ServiceLevel.Survival;
        _test.Descriptors.Left = 0;
        _test.Door.Admits().ShouldBeFalse();
        (_test.Door.Pause.Over is null).ShouldBeFalse();

        _test.Options.Enabled = false;

        _test.Admitted(500).ShouldBe(500);
        _test.Door.ClosesConnections.ShouldBeFalse();
        _test.Door.Look();
        _test.Door.Pause.Over.ShouldBeNull();
    }

    [Fact]
    public void ClosesConnections_ReserveWholeAgain_LastsUntilThereIsAQuarterToSpare()
    {
        _test.Descriptors.Left = 63;
        _test.Door.Look();
        _test.Door.ClosesConnections.ShouldBeTrue();

        _test.Descriptors.Left = 79;
        _test.Door.Look();
        _test.Door.ClosesConnections.ShouldBeTrue();
        _test.Door.Admits().ShouldBeTrue();

        _test.Descriptors.Left = 80;
        _test.Door.Look();
        _test.Door.ClosesConnections.ShouldBeFalse();
    }

    [Fact]
    public void Watch_OthersOpenDescriptors_NoticesWithoutAConnection()
    {
        _test.Door.Watch();
        _test.Door.Watch();
        _test.Time.ArmedTimers.ShouldBe(1);

        _test.Descriptors.Left = 5;
        _test.Time.Advance(ConnectionDoor.WatchInterval);
        _test.Door.ClosesConnections.ShouldBeTrue();
        (_test.Door.Pause.Over is null).ShouldBeFalse();

        _test.Descriptors.Left = 500;
        _test.Time.Advance(ConnectionDoor.WatchInterval);
        _test.Door.ClosesConnections.ShouldBeFalse();
        _test.Door.Pause.Over.ShouldBeNull();
    }

    [Fact]
    public void Watch_CountThrows_GoesOn()
    {
        _test.Door.Watch();
        _test.Descriptors.Error = new InvalidOperationException();
        _test.Time.Advance(ConnectionDoor.WatchInterval);
        (_test.Descriptors.Error, _test.Descriptors.Left) = (null, 5);

        _test.Time.Advance(ConnectionDoor.WatchInterval);

        _test.Door.ClosesConnections.ShouldBeTrue();
    }

    [Fact]
    public void Dispose_WhilePaused_EndsPauseAndTimer()
    {
        _test.Door.Watch();
        _test.Descriptors.Left = 0;
        _test.Door.Look();
        var over = _test.Door.Pause.Over.ShouldNotBeNull();

        _test.Door.Dispose();
        _test.Door.Watch();

        over.IsCompletedSuccessfully.ShouldBeTrue();
        _test.Time.Advance(TimeSpan.FromSeconds(1));
        _test.Door.Pause.Over.ShouldBeNull();
    }

    [Fact]
    public void Log_Storm_IsTwoLinesAndNamesTheNumbers()
    {
        _test.Descriptors.Left = 63;
        _test.Admitted(1000);
        _test.Time.Advance(TimeSpan.FromSeconds(10));

        _test.Logs.Entries.Select(entry => (entry.Level, entry.EventId.Name, entry.Message)).ShouldBe(
        [
            (LogLevel.Warning, "ConnectionRefusedForDescriptors",
                "A new connection was closed as it was accepted: 63 of 1024 file descriptors are left, and 64 are kept for the requests that run. "
                + "Find out what holds them (ls -l /proc/PID/fd), or raise the limit (ulimit -n). Further ones are counted and summed up."),
            (LogLevel.Warning, "ConnectionRefusedForDescriptorsMore", "999 more new connections were closed for want of file descriptors within 10 s."),
        ]);
    }

    [Fact]
    public void Log_Survival_IsTwoLines()
    {
        _test.Level.Current = ServiceLevel.Survival;
        _test.Admitted(1000);
        _test.Time.Advance(TimeSpan.FromSeconds(10));

        _test.Logs.Entries.Select(entry => entry.Message).ShouldBe(
        [
            "A new connection was closed as it was accepted: at service level Survival 100 are taken per second. Further ones are counted and summed up.",
            "899 more new connections were closed at service level Survival within 10 s.",
        ]);
    }

    [Fact]
    public void Log_Pause_IsAnErrorOnce()
    {
        _test.Descriptors.Left = 3;
        _test.Door.Look();
        _test.Door.Look();

        _test.Logs.Entries.ShouldHaveSingleItem().Message.ShouldStartWith("No new connections are accepted until file descriptors come free: 3 of 1024 are left.");
    }

    [Fact]
    public void AllWell_AllocatesNothing()
    {
        var policy = new ConnectionPolicy(new ConnectionOptions());
        var log = new ConnectionLog(Microsoft.Extensions.Logging.Abstractions.NullLogger<ConnectionLog>.Instance, _test.Clock);
        using var door = new ConnectionDoor(() => policy, _test.Level, _test.Descriptors, _test.Clock, metrics: null!, log);
        var admitted = 0;

        AllocatedBytes.Of(Ask).ShouldBe(0);
        admitted.ShouldBe(20_000);

        void Ask()
        {
            for (var i = 0; i < 10_000; i++)
            {
                admitted += door.Admits() && !door.ClosesConnections ? 1 : 0;
            }
        }
    }
}
