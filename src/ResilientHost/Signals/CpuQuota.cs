namespace ResilientHost.Signals;

/// <summary>How many cores the process's control groups let it use: <c>cpu.max</c> of version 2, <c>cpu.cfs_quota_us</c> of version 1, the tightest of all levels.</summary>
/// <remarks>Not thread-safe. Read anew each time: a running container can be resized.</remarks>
internal sealed class CpuQuota : IDisposable
{
    private readonly HostText _text;
    private readonly (IHostFile Quota, IHostFile? Period)[] _levels;

    public CpuQuota(IHostFiles files, Cgroup? cgroup, HostText text)
    {
        _text = text;
        var levels = new List<(IHostFile, IHostFile?)>();
        foreach (var level in cgroup?.Levels() ?? [])
        {
            if (files.TryOpen(level + (cgroup!.IsUnified ? "/cpu.max" : "/cpu.cfs_quota_us")) is { } quota)
            {
                levels.Add((quota, cgroup.IsUnified ? null : files.TryOpen(level + "/cpu.cfs_period_us")));
            }
        }

        _levels = [.. levels];
    }

    /// <summary>The number of cores; infinite without a quota, <see cref="double.NaN"/> when one cannot be read.</summary>
    public double Cores()
    {
        var cores = double.PositiveInfinity;
        foreach (var (quota, period) in _levels)
        {
            // Min, unlike a comparison, hands NaN on.
            cores = Math.Min(cores, Cores(quota, period));
        }

        return cores;
    }

    public void Dispose()
    {
        foreach (var (quota, period) in _levels)
        {
            quota.Dispose();
            period?.Dispose();
        }
    }

    private double Cores(IHostFile quotaFile, IHostFile? periodFile)
    {
        var text = _text.Of(quotaFile);
        if (KernelText.StartsWithWord(text, "max"u8))
        {
            return double.PositiveInfinity;
        }

        if (!KernelText.TryNumber(text, out var quota, out var rest))
        {
            return double.NaN;
        }

        if (periodFile is not null && quota == -1)
        {
            return double.PositiveInfinity;
        }

        return KernelText.TryNumber(periodFile is null ? rest : _text.Of(periodFile), out var period) && quota > 0 && period > 0
            ? (double)quota / period
            : double.NaN;
    }
}
