using Microsoft.Win32.SafeHandles;
using ResilientHost.Hosting;
using ResilientHost.Signals;
using Names = ResilientHost.ResilienceDiagnostics.SignalNames;

namespace ResilientHost.Tests.Signals;

/// <summary>Sanity on the machine that runs the tests, whatever it is.</summary>
public sealed class RealHostTests : IDisposable
{
    private readonly MonotonicClock _clock = new(null);
    private readonly HostSignals _signals;

    public RealHostTests() => _signals = HostSignals.Create(_clock);

    [Fact]
    public void Sources_OfThisMachine_AreNamedOnceAndPlausible()
    {
        _signals.Sources.Select(source => source.Name).Concat(_signals.Missing.Select(missing => missing.Name)).ShouldBe(
            [Names.Cpu, Names.Memory, Names.MemoryProjected, Names.GcPause, Names.ThreadPoolQueue, Names.ThreadPoolDelay, Names.LockContention, Names.FileDescriptors, Names.CpuPressure, Names.MemoryPressure, Names.MemoryEvents],
            ignoreOrder: true);
        Round();
        Burn();

        foreach (var source in _signals.Sources)
        {
            source.Read(_clock.Timestamp()).ShouldSatisfyAllConditions(value => (double.IsNaN(value) || value >= 0).ShouldBeTrue(source.Name), value => double.IsInfinity(value).ShouldBeFalse(source.Name));
        }
    }

    [Fact]
    public void Cpu_OfThisMachine_IsAboveZeroAfterWork()
    {
        Round();
        Burn();

        Read(Names.Cpu).ShouldBeInRange(double.Epsilon, 10);
    }

    [Fact]
    public void Memory_OfThisMachine_IsBetweenNothingAndAll() => Read(Names.Memory).ShouldBeInRange(0.00001, 1.05);

    [Fact]
    public void FileDescriptors_FilesAreOpened_GrowByTheirNumber()
    {
        Assert.SkipUnless(_signals.Sources.Any(source => source.Name == Names.FileDescriptors), "This machine does not tell.");
        using var descriptors = new HostFiles().TryOpenDirectory("/proc/self/fd").ShouldNotBeNull();
        var before = descriptors.Count();
        var files = OpenFiles(500);
        var after = descriptors.Count();
        CloseAll(files);

        // Other tests open and close files meanwhile.
        (after - before).ShouldBeInRange(300, 700);
        Read(Names.FileDescriptors).ShouldBeInRange(double.Epsilon, 1);
    }

    [Fact]
    public void FileDescriptors_FilesAreOpenedOnNewKernel_GrowAtOnce()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.OSVersion.Version >= new Version(6, 2), "Since Linux 6.2.");
        var before = Read(Names.FileDescriptors);
        var files = OpenFiles(500);
        var after = Read(Names.FileDescriptors);
        CloseAll(files);

        after.ShouldBeGreaterThan(before);
    }

    [Fact]
    public void Read_AnyNumberOfTimes_AllocatesNothing()
    {
        // Only the first reading after a collection may allocate; of many rounds most see none.
        AllocatedBytes.LeastOf(Round).ShouldBe(0);
    }

    public void Dispose() => _signals.Dispose();

    private void Round()
    {
        for (var i = 0; i < _signals.Sources.Count; i++)
        {
            _signals.Sources[i].Read(_clock.Timestamp());
        }
    }

    private void Burn()
    {
        var until = _clock.Timestamp() + (_clock.Frequency / 20);
        while (_clock.Timestamp() < until)
        {
        }
    }

    private static SafeFileHandle[] OpenFiles(int number) => [.. Enumerable.Range(0, number).Select(_ => File.OpenHandle(Environment.ProcessPath!))];

    private static void CloseAll(SafeFileHandle[] files)
    {
        foreach (var file in files)
        {
            file.Dispose();
        }
    }

    private double Read(string name) => _signals.Sources.Single(source => source.Name == name).Read(_clock.Timestamp());
}
