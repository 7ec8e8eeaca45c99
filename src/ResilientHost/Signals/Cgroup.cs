namespace ResilientHost.Signals;

/// <summary>The control group of the process in one hierarchy, as far up as it can be seen from here.</summary>
/// <param name="IsUnified">Whether it is version 2.</param>
/// <param name="MountPoint">Where the hierarchy can be seen.</param>
/// <param name="Directory">The process's own group, at or below <paramref name="MountPoint"/>.</param>
internal sealed record Cgroup(bool IsUnified, string MountPoint, string Directory)
{
    /// <summary>The process's own group and its ancestors: a limit of each is a limit of the process.</summary>
    public IEnumerable<string> Levels()
    {
        for (var level = Directory; ; level = level[..level.LastIndexOf('/')])
        {
            yield return level;
            if (level.Length <= MountPoint.Length)
            {
                yield break;
            }
        }
    }
}
