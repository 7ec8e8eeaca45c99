namespace ResilientHost.Signals;

/// <summary>Finds the control groups of the process: version 1, version 2, both side by side, or none.</summary>
/// <remarks>
/// <c>/proc/self/cgroup</c> tells the group's path from the root of its hierarchy, <c>/proc/self/mountinfo</c> which part of that hierarchy is mounted where
/// (<see href="https://man7.org/linux/man-pages/man7/cgroups.7.html">cgroups(7)</see>).
/// </remarks>
internal sealed class Cgroups
{
    private const string UnifiedFileSystem = "cgroup2";

    private readonly List<(string Controllers, string Path)> _groups = [];
    private readonly List<(string Root, string Point, string FileSystem, string Options)> _mounts = [];

    public Cgroups(IHostFiles files)
    {
        foreach (var line in HostText.Lines(files, "/proc/self/cgroup"))
        {
            // "4:memory:/docker/1f" or "0::/system.slice/web.service"; a path may hold colons.
            if (line.Split(':', 3) is [_, var controllers, var path] && path.StartsWith('/'))
            {
                _groups.Add((controllers, path));
            }
        }

        foreach (var line in HostText.Lines(files, "/proc/self/mountinfo"))
        {
            // "31 23 0:26 /root /point rw,relatime shared:9 - cgroup2 cgroup2 rw": the number of fields before the dash varies.
            var fields = line.Split(' ');
            var dash = Array.IndexOf(fields, "-");
            if (dash >= 6 && fields.Length > dash + 3 && fields[dash + 1] is "cgroup" or UnifiedFileSystem)
            {
                _mounts.Add((Unescaped(fields[3]), Unescaped(fields[4]), fields[dash + 1], fields[dash + 3]));
            }
        }
    }

    /// <summary>The group that a controller of version 1 says, else the one of version 2, whether that has the controller or not; <see langword="null"/> without either.</summary>
    public Cgroup? Of(string controller)
    {
        foreach (var (controllers, path) in _groups)
        {
            if (controllers.Split(',').Contains(controller))
            {
                return Mounted(path, mount => mount.FileSystem != UnifiedFileSystem && mount.Options.Split(',').Contains(controller), isUnified: false);
            }
        }

        return Unified();
    }

    /// <summary>The group of version 2.</summary>
    public Cgroup? Unified()
    {
        foreach (var (controllers, path) in _groups)
        {
            if (controllers.Length == 0)
            {
                return Mounted(path, mount => mount.FileSystem == UnifiedFileSystem, isUnified: true);
            }
        }

        return null;
    }

    private Cgroup? Mounted(string path, Predicate<(string Root, string Point, string FileSystem, string Options)> belongs, bool isUnified)
    {
        Cgroup? any = null;
        foreach (var mount in _mounts)
        {
            if (!belongs(mount))
            {
                continue;
            }

            if (Below(path, mount.Root) is { } rest)
            {
                return new(isUnified, mount.Point, mount.Point + rest);
            }

            // A container may see a path that means nothing in its own mount, whose root is then its group.
            any ??= new(isUnified, mount.Point, mount.Point);
        }

        return any;
    }

    /// <summary>What of a path lies below a root: "" when they are the same, <see langword="null"/> when it is elsewhere.</summary>
    private static string? Below(string path, string root)
    {
        // ".." leads out of the namespace and the mount.
        if (path.Split('/').Contains(".."))
        {
            return null;
        }

        if (path == root)
        {
            return "";
        }

        var prefix = root == "/" ? "" : root;
        return path.StartsWith(prefix + "/", StringComparison.Ordinal) ? path[prefix.Length..].TrimEnd('/') : null;
    }

    private static string Unescaped(string field) =>
        field.Contains('\\') ? field.Replace(@"\040", " ").Replace(@"\011", "\t").Replace(@"\012", "\n").Replace(@"\134", @"\") : field;
}
