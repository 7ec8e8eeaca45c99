using ResilientHost.Hosting;
using ResilientHost.Signals;
using Names = ResilientHost.ResilienceDiagnostics.SignalNames;

namespace ResilientHost.Tests.Signals;

public class MemorySignalTests
{
    private static FakeHost Machine(int residentPages) => new()
    {
        ["/proc/meminfo"] = "MemTotal:       400 kB\nMemFree: 1 kB\n",
        ["/proc/self/statm"] = $"900 {residentPages} 1 1 0 1 0\n",
    };

    [Theory]
    [InlineData(50, 20, 0.5)]
    [InlineData(50, 90, 0.9)]
    public void Memory_HeapAndWorkingSet_IsTheWorse(long heap, int pages, double expected)
    {
        using var host = new SignalFixture(Machine(pages));
        host.Runtime.HeapBytes = heap;

        host.ReadAfter(1, Names.Memory).ShouldBe(expected, 1e-9);
    }

    [Fact]
    public void Confirm_HeapThatNothingCollects_IsCollectedEveryFewSeconds()
    {
        using var host = new SignalFixture(new FakeHost());
        host.Confirm(Names.Memory, after: 1);
        host.Confirm(Names.MemoryProjected, after: 3.9);
        host.Runtime.TimesCollected.ShouldBe(0);

        host.Confirm(Names.Memory, after: 0.1);
        host.Runtime.TimesCollected.ShouldBe(1);
        host.Confirm(Names.Memory, after: 3.9);
        host.Runtime.TimesCollected.ShouldBe(1, "one has been asked for");
        host.Confirm(Names.Memory, after: 0.1);
        host.Runtime.TimesCollected.ShouldBe(2);
    }

    [Fact]
    public void Confirm_HeapThatIsCollectedAnyway_IsLeftAlone()
    {
        using var host = new SignalFixture(new FakeHost());
        for (var i = 0; i < 20; i++)
        {
            host.Runtime.FullCollections++;
            host.Confirm(Names.Memory, after: 3.9);
        }

        host.Runtime.TimesCollected.ShouldBe(0);
    }

    [Fact]
    public void Memory_WorkingSetUnknown_IsTheHeap()
    {
        using var host = new SignalFixture(new FakeHost());
        host.Runtime.HeapBytes = 95;

        host.ReadAfter(1, Names.Memory).ShouldBe(0.95, 1e-9);
    }

    [Fact]
    public void Memory_LimitChangesWhileRunning_IsShareOfNewLimit()
    {
        var machine = Machine(50);
        machine["/proc/self/cgroup"] = "0::/\n";
        machine["/proc/self/mountinfo"] = "1 2 0:1 / /cg ro - cgroup2 cgroup rw\n";
        machine["/cg/memory.max"] = "max\n";
        using var host = new SignalFixture(machine);
        host.ReadAfter(1, Names.Memory).ShouldBe(0.5, 1e-9);

        machine["/cg/memory.max"] = "204800\n";

        host.ReadAfter(1, Names.Memory).ShouldBe(1, 1e-9);
    }

    [Fact]
    public void Memory_LimitOfGroupAboveTheMachine_IsShareOfTheMachine()
    {
        var machine = Machine(50);
        machine["/proc/self/cgroup"] = "3:memory:/\n";
        machine["/proc/self/mountinfo"] = "1 2 0:1 / /cg ro - cgroup cgroup rw,memory\n";
        machine["/cg/memory.limit_in_bytes"] = "9223372036854710272\n";
        using var host = new SignalFixture(machine);

        host.ReadAfter(1, Names.Memory).ShouldBe(0.5, 1e-9);
    }

    [Fact]
    public void MemoryProjected_SteadyGrowth_IsUseInTenSeconds()
    {
        using var host = new SignalFixture(Machine(1));
        for (var second = 0; second < 60; second++)
        {
            host.Runtime.HeapBytes = 20 + second;
            host.ReadAfter(1, Names.MemoryProjected);
        }

        // 1 % per second, and 79 % now.
        host.Read(Names.MemoryProjected).ShouldBe(0.89, 0.001);
    }

    [Fact]
    public void MemoryProjected_FastLeak_IsExhaustedSecondsBeforeItIs()
    {
        using var host = new SignalFixture(Machine(1));
        var seconds = 0.0;
        double projected;
        do
        {
            // 13 % per second: what fills 150 MB at 20 MB/s.
            seconds += 0.5;
            host.Runtime.HeapBytes = (long)(13 * seconds);
            projected = host.ReadAfter(0.5, Names.MemoryProjected);
        }
        while (projected < 1);

        seconds.ShouldBeLessThanOrEqualTo(4.5);
    }

    [Fact]
    public void MemoryProjected_BelowHalfOfTheLimit_IsPresentUse()
    {
        using var host = new SignalFixture(Machine(1));
        host.Runtime.HeapBytes = 0;
        host.ReadAfter(1, Names.MemoryProjected);
        host.Runtime.HeapBytes = 49;

        host.ReadAfter(1, Names.MemoryProjected).ShouldBe(0.49, 1e-9);
    }

    [Fact]
    public void MemoryProjected_MemoryIsGivenBack_IsPresentUse()
    {
        using var host = new SignalFixture(Machine(1));
        host.Runtime.HeapBytes = 95;
        for (var second = 0; second < 30; second++)
        {
            host.ReadAfter(1, Names.MemoryProjected);
        }

        host.Runtime.HeapBytes = 60;

        host.ReadAfter(1, Names.MemoryProjected).ShouldBe(0.6, 1e-9);
    }

    [Fact]
    public void MemoryProjected_SawToothOfCollections_DoesNotReachTheLimit()
    {
        using var host = new SignalFixture(Machine(1));
        for (var half = 0; half < 200; half++)
        {
            // From 55 % to 70 % and back, every 2.5 s.
            host.Runtime.HeapBytes = 55 + (half % 5 * 15 / 4);
            var projected = host.ReadAfter(0.5, Names.MemoryProjected);
            if (half > 20)
            {
                projected.ShouldBeLessThan(1);
            }
        }
    }

    [Fact]
    public void MemoryProjected_CachesAreFilledAtStartAndNoMore_CalmsDownInThreeSeconds()
    {
        using var host = new SignalFixture(Machine(1));
        for (var half = 1; half <= 4; half++)
        {
            host.Runtime.HeapBytes = 15 * half;
            host.ReadAfter(0.5, Names.MemoryProjected);
        }

        host.Read(Names.MemoryProjected).ShouldBeGreaterThan(1);
        host.ReadAfter(0.5, Names.MemoryProjected);
        for (var half = 0; half < 5; half++)
        {
            host.ReadAfter(0.5, Names.MemoryProjected);
        }

        host.Read(Names.MemoryProjected).ShouldBeLessThan(0.9);
    }

    [Fact]
    public void MemoryProjected_CommittedGrowsBeforeTheHeap_SeesIt()
    {
        using var host = new SignalFixture(Machine(1));
        host.Runtime.HeapBytes = 60;
        for (var second = 0; second < 20; second++)
        {
            host.Runtime.CommittedBytes = 60 + second;
            host.ReadAfter(1, Names.MemoryProjected);
        }

        host.Read(Names.MemoryProjected).ShouldBe(0.7, 0.005);
        host.Read(Names.Memory).ShouldBe(0.6, 1e-9);
    }

    [Fact]
    public void MemoryProjected_CommittedHighAndFlat_IsPresentUse()
    {
        using var host = new SignalFixture(Machine(1));
        (host.Runtime.HeapBytes, host.Runtime.CommittedBytes) = (60, 98);
        for (var second = 0; second < 60; second++)
        {
            host.ReadAfter(1, Names.MemoryProjected);
        }

        host.Read(Names.MemoryProjected).ShouldBe(0.6, 1e-6);
    }

    [Fact]
    public void Missing_NothingTellsOfAnyLimit_NamesBothMemorySignals()
    {
        using var signals = HostSignals.Create(new FakeHost(), new FakeRuntime { HeapLimitBytes = 0 }, new MonotonicClock(new ManualTimeProvider()));

        signals.Missing.Select(missing => missing.Name).ShouldContain(Names.Memory);
        signals.Missing.Select(missing => missing.Name).ShouldContain(Names.MemoryProjected);
    }
}
