using Names = ResilientHost.ResilienceDiagnostics.SignalNames;

namespace ResilientHost.Tests.Signals;

public class RuntimeSignalsTests
{
    private readonly SignalFixture _host = new(new FakeHost());

    [Fact]
    public void Cpu_AllCoresBusy_IsOne()
    {
        _host.Read(Names.Cpu);
        _host.Runtime.CpuTime += TimeSpan.FromSeconds(2);

        _host.ReadAfter(0.5, Names.Cpu).ShouldBe(1, 1e-9);
    }

    [Fact]
    public void Cpu_CounterWentBack_IsUnknownOnce()
    {
        _host.Runtime.CpuTime = TimeSpan.FromSeconds(10);
        _host.Read(Names.Cpu);
        _host.Runtime.CpuTime = TimeSpan.FromSeconds(1);
        _host.ReadAfter(0.5, Names.Cpu).ShouldBe(double.NaN);
        _host.Runtime.CpuTime += TimeSpan.FromSeconds(1);

        _host.ReadAfter(0.5, Names.Cpu).ShouldBe(0.5, 1e-9);
    }

    [Fact]
    public void Cpu_NoTimeHasPassed_IsUnknownAndLosesNothing()
    {
        _host.Read(Names.Cpu);
        _host.Runtime.CpuTime += TimeSpan.FromSeconds(1);
        _host.Read(Names.Cpu).ShouldBe(double.NaN);

        _host.ReadAfter(0.5, Names.Cpu).ShouldBe(0.5, 1e-9);
    }

    [Fact]
    public void Cpu_QuotaAboveTheCores_IsShareOfCores()
    {
        var machine = Quota("800000 100000\n");
        using var host = new SignalFixture(machine);
        host.Read(Names.Cpu);
        host.Runtime.CpuTime += TimeSpan.FromSeconds(4);

        host.ReadAfter(1, Names.Cpu).ShouldBe(1, 1e-9);
    }

    [Fact]
    public void Cpu_QuotaChangesWhileRunning_IsShareOfNewQuota()
    {
        var machine = Quota("max 100000\n");
        using var host = new SignalFixture(machine);
        host.Read(Names.Cpu);
        machine["/cg/cpu.max"] = "100000 100000\n";
        host.Runtime.CpuTime += TimeSpan.FromSeconds(1);

        host.ReadAfter(1, Names.Cpu).ShouldBe(1, 1e-9);
    }

    [Theory]
    [InlineData("-1\n", "100000\n", 0.25)]
    [InlineData("50000\n", "100000\n", 2)]
    [InlineData("-2\n", "100000\n", double.NaN)]
    [InlineData("0\n", "100000\n", double.NaN)]
    [InlineData("50000\n", "0\n", double.NaN)]
    [InlineData("50000\n", "", double.NaN)]
    [InlineData("50000", "100000\n", double.NaN)]
    public void Cpu_QuotaOfVersion1_IsShareOfIt(string quota, string period, double expected)
    {
        using var host = new SignalFixture(new FakeHost
        {
            ["/proc/self/cgroup"] = "3:cpuacct,cpu:/\n",
            ["/proc/self/mountinfo"] = "1 2 0:1 / /cg ro - cgroup cgroup rw,cpu,cpuacct\n",
            ["/cg/cpu.cfs_quota_us"] = quota,
            ["/cg/cpu.cfs_period_us"] = period,
        });
        host.Read(Names.Cpu);
        host.Runtime.CpuTime += TimeSpan.FromSeconds(1);

        host.ReadAfter(1, Names.Cpu).ShouldBe(expected);
    }

    [Fact]
    public void GcPause_HalfOfTheTime_IsHalf()
    {
        _host.Read(Names.GcPause).ShouldBe(double.NaN);
        _host.Runtime.GcPauses += TimeSpan.FromSeconds(0.25);

        _host.ReadAfter(0.5, Names.GcPause).ShouldBe(0.5, 1e-9);
    }

    [Fact]
    public void LockContention_CountGrows_IsPerSecond()
    {
        _host.Read(Names.LockContention).ShouldBe(double.NaN);
        _host.Runtime.LockContentions += 300;

        _host.ReadAfter(0.5, Names.LockContention).ShouldBe(600, 1e-9);
    }

    [Fact]
    public void ThreadPoolQueue_ItemsWait_IsTheirNumber()
    {
        _host.Runtime.PendingWorkItems = 12;
        _host.Read(Names.ThreadPoolQueue).ShouldBe(12);
    }

    [Fact]
    public void ThreadPoolDelay_ItemRanInTime_IsItsWait()
    {
        _host.Read(Names.ThreadPoolDelay).ShouldBe(double.NaN);
        _host.Time.Advance(TimeSpan.FromMilliseconds(3));
        _host.Runtime.RunQueued();

        _host.ReadAfter(0.497, Names.ThreadPoolDelay).ShouldBe(0.003, 1e-9);
        _host.Runtime.TimesQueued.ShouldBe(2);
    }

    [Fact]
    public void ThreadPoolDelay_ItemStillWaits_IsItsAgeAndNoSecondIsSent()
    {
        _host.Read(Names.ThreadPoolDelay);

        _host.ReadAfter(0.5, Names.ThreadPoolDelay).ShouldBe(0.5, 1e-9);
        _host.ReadAfter(9.5, Names.ThreadPoolDelay).ShouldBe(10, 1e-9);
        _host.Runtime.TimesQueued.ShouldBe(1);
    }

    [Fact]
    public void ThreadPoolDelay_StarvedPoolRunsAgain_IsTheWholeWaitOnceAndThenTheNew()
    {
        _host.Read(Names.ThreadPoolDelay);
        _host.ReadAfter(4, Names.ThreadPoolDelay);
        _host.Time.Advance(TimeSpan.FromSeconds(1));
        _host.Runtime.RunQueued();
        _host.Read(Names.ThreadPoolDelay).ShouldBe(5, 1e-9);
        _host.Runtime.RunQueued();

        _host.ReadAfter(0.5, Names.ThreadPoolDelay).ShouldBe(0, 1e-9);
    }

    [Fact]
    public void ThreadPoolDelay_PoolCannotTakeIt_GrowsWithoutThrowingUntilItCan()
    {
        _host.Runtime.PoolFails = new InvalidOperationException("No thread could be started.");
        _host.Read(Names.ThreadPoolDelay).ShouldBe(double.NaN);
        _host.ReadAfter(2, Names.ThreadPoolDelay).ShouldBe(2, 1e-9);

        _host.Runtime.PoolFails = null;
        _host.ReadAfter(1, Names.ThreadPoolDelay).ShouldBe(3, 1e-9);
        _host.Runtime.RunQueued();

        _host.ReadAfter(1, Names.ThreadPoolDelay).ShouldBe(3, 1e-9);
    }

    [Fact]
    public void GcPause_PauseEndsBetweenClockAndCounter_IsAtMostTheWholeTime()
    {
        _host.Read(Names.GcPause);
        _host.Runtime.GcPauses += TimeSpan.FromSeconds(0.6);

        _host.ReadAfter(0.5, Names.GcPause).ShouldBe(1);
    }

    private static FakeHost Quota(string max) => new()
    {
        ["/proc/self/cgroup"] = "0::/\n",
        ["/proc/self/mountinfo"] = "1 2 0:1 / /cg ro - cgroup2 cgroup rw\n",
        ["/cg/cpu.max"] = max,
    };
}
