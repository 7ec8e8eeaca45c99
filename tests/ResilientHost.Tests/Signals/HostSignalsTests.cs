using ResilientHost.Hosting;
using ResilientHost.Signals;
using Names = ResilientHost.ResilienceDiagnostics.SignalNames;

namespace ResilientHost.Tests.Signals;

public class HostSignalsTests
{
    private static readonly string[] OfTheRuntime = [Names.Cpu, Names.Memory, Names.MemoryProjected, Names.GcPause, Names.ThreadPoolQueue, Names.ThreadPoolDelay, Names.LockContention];
    private static readonly string[] OfTheKernel = [Names.FileDescriptors, Names.CpuPressure, Names.MemoryPressure, Names.MemoryEvents];

    [Theory]
    [InlineData("v1", 1.5)]
    [InlineData("v1-nested", 1.2)]
    [InlineData("v2", 0.5)]
    [InlineData("v2-nested", 1.2)]
    [InlineData("hybrid", 4)]
    [InlineData("none", 4)]
    public void Cpu_OfHost_IsShareOfTightestQuotaOrElseOfCores(string kind, double cores)
    {
        using var host = SignalFixture.Of(kind);
        host.Read(Names.Cpu).ShouldBe(double.NaN);

        host.Runtime.CpuTime += TimeSpan.FromSeconds(0.3);

        host.ReadAfter(0.5, Names.Cpu).ShouldBe(0.6 / cores, 1e-9);
    }

    [Theory]
    [InlineData("v1", 128)]
    [InlineData("v1-nested", 96)]
    [InlineData("v2", 256)]
    [InlineData("v2-nested", 192)]
    [InlineData("hybrid", 200)]
    [InlineData("none", 512)]
    public void Memory_OfHost_IsShareOfTightestLimitOrElseOfTheMachine(string kind, double limitMebibytes)
    {
        using var host = SignalFixture.Of(kind);

        host.Read(Names.Memory).ShouldBe(64 / limitMebibytes, 1e-9);
    }

    [Theory]
    [InlineData("v1", 20, 1000)]
    [InlineData("v1-nested", 8, 4096)]
    [InlineData("v2", 30, 1048576)]
    [InlineData("v2-nested", 16, 524288)]
    [InlineData("hybrid", 12, 20000)]
    [InlineData("none", 9, 1024)]
    public void FileDescriptors_OfHost_IsShareOfLimit(string kind, double open, double limit)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Directories are counted through the C library.");
        using var host = SignalFixture.Of(kind);

        host.Read(Names.FileDescriptors).ShouldBe(open / limit, 1e-9);
    }

    [Theory]
    [InlineData("v1", Names.CpuPressure, Names.MemoryPressure)]
    [InlineData("v1-nested", Names.CpuPressure, Names.MemoryPressure)]
    [InlineData("v2")]
    [InlineData("v2-nested")]
    [InlineData("hybrid")]
    [InlineData("none", Names.MemoryEvents)]
    public void Missing_OfHost_NamesWhatItDoesNotGiveAndWhy(string kind, params string[] missing)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Directories are counted through the C library.");
        using var host = SignalFixture.Of(kind);

        host.Signals.Missing.Select(signal => signal.Name).ShouldBe(missing);
        host.Signals.Missing.ShouldAllBe(signal => signal.Why.Length > 10);
        host.Signals.Sources.Select(source => source.Name).Concat(missing).ShouldBe(OfTheRuntime.Concat(OfTheKernel), ignoreOrder: true);
    }

    [Fact]
    public void Sources_OfMachineWithoutKernelFiles_AreThoseOfTheRuntime()
    {
        using var host = new SignalFixture(new HostFiles(SignalFixture.Folder("no-such-machine")));

        host.Signals.Sources.Select(source => source.Name).ShouldBe(OfTheRuntime);
        host.Signals.Missing.Select(signal => signal.Name).ShouldBe(OfTheKernel);
        host.Read(Names.Memory).ShouldBe(0.1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0")]
    [InlineData("max")]
    [InlineData("50000 100000")]
    [InlineData("12x\n")]
    [InlineData("999999999999999999999999\n")]
    [InlineData("-7 -7\n")]
    [InlineData("0 0\n")]
    [InlineData("some full total=\nfull total=-1\nMax open files x\nmax\noom\n")]
    [InlineData("some avg10=0.00 total=99999999999999999999\nMax open files 1048576\tunlimited")]
    public void Sources_FilesTurnToGarbageAfterStart_SayNothing(string garbage)
    {
        var (files, paths) = Copied("v2");
        using var host = new SignalFixture(files);
        ReadAll(host);
        foreach (var path in paths)
        {
            files[path] = garbage;
        }

        host.Runtime.HeapLimitBytes = 0;
        host.Time.Advance(TimeSpan.FromSeconds(1));

        foreach (var name in OfTheKernel.Concat([Names.Cpu, Names.Memory, Names.MemoryProjected]).Where(name => name != Names.FileDescriptors || !garbage.Contains("1048576")))
        {
            host.Read(name).ShouldBe(double.NaN, name);
        }
    }

    [Fact]
    public void Sources_FilesVanishAfterStart_SayNothingAndComeBack()
    {
        var (files, paths) = Copied("v2");
        using var host = new SignalFixture(files);
        ReadAll(host);
        files["/sys/fs/cgroup/cpu.pressure"] = null;
        host.ReadAfter(1, Names.CpuPressure).ShouldBe(double.NaN);

        files["/sys/fs/cgroup/cpu.pressure"] = "some avg10=0.00 avg60=0.00 avg300=0.00 total=10413581\n";

        paths.ShouldContain("/sys/fs/cgroup/cpu.pressure");
        host.ReadAfter(1, Names.CpuPressure).ShouldBe(0.5, 1e-9);
    }

    [Fact]
    public void Create_ReadingFails_NeverThrows()
    {
        using var signals = HostSignals.Create(new BrokenHost(), new FakeRuntime(), new MonotonicClock(new ManualTimeProvider()));

        signals.Sources.Select(source => source.Name).ShouldBe(OfTheRuntime);
        signals.Sources.Select(source => source.Read(1)).Count().ShouldBe(OfTheRuntime.Length);
    }

    [Fact]
    public void Dispose_AfterCreate_ClosesEveryFile()
    {
        var (files, _) = Copied("v2");
        var host = new SignalFixture(files);
        files.Open.ShouldBeInRange(5, 15);

        host.Dispose();
        host.Dispose();

        files.Open.ShouldBe(0);
        host.ReadAfter(1, Names.CpuPressure).ShouldBe(double.NaN);
    }

    private static void ReadAll(SignalFixture host)
    {
        foreach (var source in host.Signals.Sources)
        {
            _ = source.Read(host.Clock.Timestamp());
        }
    }

    private static (FakeHost Files, string[] Paths) Copied(string kind)
    {
        var files = new FakeHost();
        var root = SignalFixture.Folder(kind);
        var paths = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(file => file[root.Length..].Replace('\\', '/')).ToArray();
        foreach (var path in paths)
        {
            files[path] = File.ReadAllText(root + path);
        }

        files.AddDirectory("/proc/self/fd").Entries = 30;
        return (files, paths);
    }

    private sealed class BrokenHost : IHostFiles
    {
        public IHostFile? TryOpen(string path) => new BrokenFile();

        public IHostDirectory? TryOpenDirectory(string path) => null;

        private sealed class BrokenFile : IHostFile
        {
            public int Read(Span<byte> buffer) => throw new IOException("Operation not supported");

            public void Dispose()
            {
            }
        }
    }
}
