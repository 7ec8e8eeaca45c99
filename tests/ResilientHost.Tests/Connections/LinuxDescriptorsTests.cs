using System.Globalization;
using ResilientHost.Connections;

namespace ResilientHost.Tests.Connections;

public sealed class LinuxDescriptorsTests
{
    [Fact]
    public void Count_OfThisProcess_SaysWhatTheKernelSays()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        using var descriptors = new LinuxDescriptors();

        var count = descriptors.Count().ShouldNotBeNull();

        var limit = File.ReadLines("/proc/self/limits").Single(line => line.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        count.Limit.ShouldBe(int.Parse(limit, CultureInfo.InvariantCulture));
        count.Left.ShouldBeInRange(1, count.Limit - 3);
    }

    [Fact]
    public void Count_DescriptorsOpened_GoesDownByThem()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        using var descriptors = new LinuxDescriptors();
        Assert.SkipWhen(descriptors.OpenCount() is null, "Before Linux 6.2 the number is not exact.");
        const int Opened = 400;
        var before = descriptors.OpenCount()!.Value;
        var files = Enumerable.Range(0, Opened).Select(_ => File.OpenHandle("/dev/null")).ToArray();
        var full = descriptors.OpenCount()!.Value;
        foreach (var file in files)
        {
            file.Dispose();
        }

        // Other tests of the process open and close some meanwhile.
        (full - before).ShouldBeInRange(Opened - 100, Opened + 100);
    }

    [Fact]
    public void LowestFree_IsTheNextDescriptorsNumber()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        using var descriptors = new LinuxDescriptors();

        var free = descriptors.LowestFree().ShouldNotBeNull();

        free.ShouldBeInRange(3, descriptors.Count()!.Value.Limit);
        descriptors.OpenCount()?.ShouldBeGreaterThanOrEqualTo(free - 100);
    }

    [Fact]
    public void Count_AllocatesNothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        using var descriptors = new LinuxDescriptors();
        AllocatedBytes.Of(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                descriptors.Count();
                descriptors.LowestFree();
            }
        }).ShouldBe(0);
    }
}
