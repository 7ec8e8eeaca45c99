using Names = ResilientHost.ResilienceDiagnostics.SignalNames;

namespace ResilientHost.Tests.Signals;

public class KernelSignalsTests
{
    private const string Limits = "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            100                  200                  files     \n";

    [Fact]
    public void CpuPressure_TotalGrows_IsShareOfTime()
    {
        var machine = Pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=1000\n");
        using var host = new SignalFixture(machine);
        host.Read(Names.CpuPressure).ShouldBe(double.NaN);
        machine["/proc/pressure/cpu"] = "some avg10=0.00 avg60=0.00 avg300=0.00 total=126000\n";

        host.ReadAfter(0.5, Names.CpuPressure).ShouldBe(0.25, 1e-9);
    }

    [Fact]
    public void CpuPressure_TotalWentBack_IsUnknownOnce()
    {
        var machine = Pressure("some avg10=0.00 total=1000000\n");
        using var host = new SignalFixture(machine);
        host.Read(Names.CpuPressure);
        machine["/proc/pressure/cpu"] = "some avg10=0.00 total=0\n";
        host.ReadAfter(1, Names.CpuPressure).ShouldBe(double.NaN);
        machine["/proc/pressure/cpu"] = "some avg10=0.00 total=100000\n";

        host.ReadAfter(1, Names.CpuPressure).ShouldBe(0.1, 1e-9);
    }

    [Fact]
    public void MemoryPressure_SomeGrowsAndFullDoesNot_IsZero()
    {
        var machine = new FakeHost { ["/proc/pressure/memory"] = "some avg10=0.00 total=0\nfull avg10=0.00 total=7\n" };
        using var host = new SignalFixture(machine);
        host.Read(Names.MemoryPressure);
        machine["/proc/pressure/memory"] = "some avg10=0.00 total=500000\nfull avg10=0.00 total=7\n";

        host.ReadAfter(1, Names.MemoryPressure).ShouldBe(0);
    }

    [Fact]
    public void Pressure_ContainersFileIsThereButSwitchedOff_IsThatOfTheSystem()
    {
        // A kernel with psi=0 lists the files and refuses to read them.
        var machine = Pressure("some avg10=0.00 total=0\n");
        machine["/proc/self/cgroup"] = "0::/\n";
        machine["/proc/self/mountinfo"] = "1 2 0:1 / /cg ro - cgroup2 cgroup rw\n";
        machine["/cg/cpu.pressure"] = "";
        using var host = new SignalFixture(machine);
        host.Read(Names.CpuPressure);
        machine["/proc/pressure/cpu"] = "some avg10=0.00 total=500000\n";

        host.ReadAfter(1, Names.CpuPressure).ShouldBe(0.5, 1e-9);
    }

    [Theory]
    [InlineData("v2", "/sys/fs/cgroup/memory.events", "low 0\nhigh 9\nmax 25\noom 3\noom_kill 2\noom_group_kill 0\n", 12)]
    [InlineData("v1", "/sys/fs/cgroup/memory/memory.failcnt", "72\n", 10)]
    [InlineData("v2-nested", "/sys/fs/cgroup/shop front.slice/memory.events", "low 0\nhigh 0\nmax 45\noom 0\noom_kill 0\n", 5)]
    [InlineData("v1-nested", "/sys/fs/cgroup/memory/shop/memory.failcnt", "10\n", 3)]
    public void MemoryEvents_OfTheGroupWithTheTightestLimit_IsPerSecond(string kind, string path, string later, double expected)
    {
        var machine = Copied(kind);
        using var host = new SignalFixture(machine);
        host.Read(Names.MemoryEvents).ShouldBe(double.NaN);
        machine[path] = later;

        host.ReadAfter(1, Names.MemoryEvents).ShouldBe(expected, 1e-9);
    }

    [Fact]
    public void MemoryEvents_NumbersThatOverflowTogether_AreUnknown()
    {
        var machine = Copied("v2");
        using var host = new SignalFixture(machine);
        host.Read(Names.MemoryEvents);
        machine["/sys/fs/cgroup/memory.events"] = "max 9223372036854775807\noom 9223372036854775807\noom_kill 1\n";

        host.ReadAfter(1, Names.MemoryEvents).ShouldBe(double.NaN);
    }

    [Fact]
    public void FileDescriptors_SizeFollowsWhatIsOpened_IsAskedEachTimeAndNothingIsCounted()
    {
        // One more than the list shows: a descriptor that is reserved by a thread that waits for it.
        var (machine, directory) = Descriptors(size: 0, entries: 40);
        var others = 41;
        directory.SizeIs = () => others + machine.Open;
        using var host = new SignalFixture(machine);
        var (own, counts) = (machine.Open, directory.Counts);
        host.Read(Names.FileDescriptors).ShouldBe((41 + own) / 100.0, 1e-9);
        others = 85;

        host.ReadAfter(0.5, Names.FileDescriptors).ShouldBe((85 + own) / 100.0, 1e-9);
        directory.Counts.ShouldBe(counts);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(4096)]
    [InlineData(-1)]
    public void FileDescriptors_SizeIsSomethingElse_AreCountedAtMostEveryFiveSeconds(long size)
    {
        var (machine, directory) = Descriptors(size, entries: 40);
        using var host = new SignalFixture(machine);
        host.Read(Names.FileDescriptors).ShouldBe(0.4, 1e-9);
        var counts = directory.Counts;
        directory.Entries = 90;

        host.ReadAfter(4.9, Names.FileDescriptors).ShouldBe(0.4, 1e-9);
        directory.Counts.ShouldBe(counts);
        host.ReadAfter(0.1, Names.FileDescriptors).ShouldBe(0.9, 1e-9);
    }

    [Fact]
    public void FileDescriptors_CountingFails_AreUnknown()
    {
        var (machine, directory) = Descriptors(size: 0, entries: 40);
        using var host = new SignalFixture(machine);
        directory.Entries = -1;

        host.ReadAfter(6, Names.FileDescriptors).ShouldBe(double.NaN);
    }

    [Fact]
    public void FileDescriptors_LimitIsRaised_AreShareOfNewLimit()
    {
        var (machine, _) = Descriptors(size: 40, entries: 40);
        using var host = new SignalFixture(machine);
        machine["/proc/self/limits"] = Limits.Replace("100 ", "400 ");

        host.Read(Names.FileDescriptors).ShouldBe(0.1, 1e-9);
    }

    [Fact]
    public void FileDescriptors_NoLimit_IsMissing()
    {
        var (machine, _) = Descriptors(size: 40, entries: 40);
        machine["/proc/self/limits"] = "Max open files            unlimited            unlimited            files     \n";
        using var host = new SignalFixture(machine);

        host.Signals.Missing.ShouldContain(missing => missing.Name == Names.FileDescriptors && missing.Why.Contains("limits"));
    }

    private static FakeHost Pressure(string cpu) => new() { ["/proc/pressure/cpu"] = cpu };

    private static (FakeHost Machine, FakeHost.FakeDirectory Directory) Descriptors(long size, int entries)
    {
        var machine = new FakeHost { ["/proc/self/limits"] = Limits };
        var directory = machine.AddDirectory("/proc/self/fd");
        (directory.SizeIs, directory.Entries) = (() => size, entries);
        return (machine, directory);
    }

    private static FakeHost Copied(string kind)
    {
        var machine = new FakeHost();
        var root = SignalFixture.Folder(kind);
        foreach (var file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories))
        {
            machine[file[root.Length..].Replace('\\', '/')] = File.ReadAllText(file);
        }

        return machine;
    }
}
