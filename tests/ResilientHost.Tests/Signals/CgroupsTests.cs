using ResilientHost.Signals;

namespace ResilientHost.Tests.Signals;

public class CgroupsTests
{
    private const string UnifiedMount = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";

    [Theory]
    [InlineData("0::/a/b\n", UnifiedMount, "/sys/fs/cgroup/a/b")]
    [InlineData("0::/\n", UnifiedMount, "/sys/fs/cgroup")]
    [InlineData("0::/a/\n", UnifiedMount, "/sys/fs/cgroup/a")]
    [InlineData("0::/a:b/c\n", UnifiedMount, "/sys/fs/cgroup/a:b/c")]
    [InlineData("0::/docker/x/y\n", "30 24 0:26 /docker/x /sys/fs/cgroup rw shared:1 master:2 - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup/y")]
    [InlineData("0::/docker/x\n", "30 24 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup")]
    [InlineData("0::/docker/xyz\n", "30 24 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup")]
    [InlineData("0::/elsewhere\n", "30 24 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup")]
    [InlineData("0::/../../etc\n", UnifiedMount, "/sys/fs/cgroup")]
    [InlineData("0::/a\n", @"30 24 0:26 / /my\040groups rw - cgroup2 cgroup2 rw" + "\n", "/my groups/a")]
    [InlineData("0::/a\n", "30 24 0:26 /b /one rw - cgroup2 cgroup2 rw\n31 24 0:26 / /two rw - cgroup2 cgroup2 rw\n", "/two/a")]
    public void Unified_PathAndMounts_IsWhereTheGroupCanBeSeen(string groups, string mounts, string directory)
    {
        var cgroup = Of(groups, mounts).Unified().ShouldNotBeNull();

        cgroup.IsUnified.ShouldBeTrue();
        cgroup.Directory.ShouldBe(directory);
    }

    [Theory]
    [InlineData("", UnifiedMount)]
    [InlineData("0::/a\n", "")]
    [InlineData("0::\n:::\nx\n\n", UnifiedMount)]
    [InlineData("0::/a\n", "30 24 0:26 / /sys/fs/cgroup rw - cgroup2\n- cgroup2\n30 24 0:26 / /x rw cgroup2 cgroup2 rw\n")]
    [InlineData("0::/a\n", "30 24 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw,memory\n")]
    public void Unified_NotThereOrGarbage_IsNone(string groups, string mounts) => Of(groups, mounts).Unified().ShouldBeNull();

    [Fact]
    public void Of_Hybrid_IsTheHierarchyThatHasTheController()
    {
        var cgroups = Of(
            "4:memory:/m\n3:cpu,cpuacct:/c\n0::/u\n",
            "30 24 0:26 / /cg/memory rw - cgroup cgroup rw,memory\n31 24 0:27 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n32 24 0:28 / /cg/unified rw - cgroup2 cgroup2 rw\n");

        cgroups.Of("memory").ShouldBe(new Cgroup(IsUnified: false, "/cg/memory", "/cg/memory/m"));
        cgroups.Of("cpu").ShouldBe(new Cgroup(IsUnified: false, "/cg/cpu", "/cg/cpu/c"));
        cgroups.Of("pids").ShouldBe(new Cgroup(IsUnified: true, "/cg/unified", "/cg/unified/u"));
    }

    [Fact]
    public void Of_ControllerOfVersion1NotMounted_IsNone() => Of("4:memory:/m\n0::/u\n", UnifiedMount).Of("memory").ShouldBeNull();

    [Fact]
    public void Levels_OfNestedGroup_GoUpToTheMountAndNoFurther() =>
        new Cgroup(IsUnified: true, "/sys/fs/cgroup", "/sys/fs/cgroup/a/b").Levels().ShouldBe(["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]);

    [Fact]
    public void Of_MountTableLongerThanOneRead_IsReadWhole()
    {
        var many = string.Concat(Enumerable.Range(0, 3_000).Select(i => $"{i} 24 0:26 / /overlay/{i} rw,relatime - overlay overlay rw\n"));

        Of("0::/a\n", many + UnifiedMount).Unified().ShouldNotBeNull().Directory.ShouldBe("/sys/fs/cgroup/a");
    }

    private static Cgroups Of(string groups, string mounts) => new(new FakeHost { ["/proc/self/cgroup"] = groups, ["/proc/self/mountinfo"] = mounts });
}
