namespace ResilientHost.Signals;

/// <summary>How much memory the process may use: the tightest limit of its control groups, and no more than the machine has.</summary>
/// <remarks>Not thread-safe. The groups' limits are read anew each time: a running container can be resized.</remarks>
internal sealed class MemoryLimit : IDisposable
{
    // Version 1 says "unlimited" with the largest number of whole pages, whatever the size of a page.
    private const long Unlimited = 1L << 62;

    private readonly HostText _text;
    private readonly (string Directory, IHostFile File)[] _levels;
    private readonly double _physical;

    public MemoryLimit(IHostFiles files, Cgroup? cgroup, HostText text)
    {
        _text = text;
        var levels = new List<(string, IHostFile)>();
        foreach (var level in cgroup?.Levels() ?? [])
        {
            if (files.TryOpen(level + (cgroup!.IsUnified ? "/memory.max" : "/memory.limit_in_bytes")) is { } file)
            {
                levels.Add((level, file));
            }
        }

        _levels = [.. levels];
        using var machine = files.TryOpen("/proc/meminfo");
        var kilobytes = KernelText.NumberAfter(KernelText.Line(text.Of(machine), "MemTotal:"u8), default);
        _physical = kilobytes > 0 ? kilobytes * 1024.0 : double.PositiveInfinity;
    }

    /// <summary>The limit in bytes; infinite when nothing tells of any, <see cref="double.NaN"/> when one cannot be read.</summary>
    public double Bytes()
    {
        var bytes = _physical;
        foreach (var (_, file) in _levels)
        {
            bytes = Math.Min(bytes, Bytes(file));
        }

        return bytes;
    }

    /// <summary>The group whose limit is met first: the one with the tightest, the process's own when none has any; <see langword="null"/> without groups.</summary>
    public string? TightestDirectory()
    {
        var (tightest, directory) = (double.PositiveInfinity, _levels.Length > 0 ? _levels[0].Directory : null);
        foreach (var (level, file) in _levels)
        {
            if (Bytes(file) is var bytes && bytes < tightest)
            {
                (tightest, directory) = (bytes, level);
            }
        }

        return directory;
    }

    public void Dispose()
    {
        foreach (var (_, file) in _levels)
        {
            file.Dispose();
        }
    }

    private double Bytes(IHostFile file)
    {
        var text = _text.Of(file);
        if (KernelText.StartsWithWord(text, "max"u8))
        {
            return double.PositiveInfinity;
        }

        return KernelText.TryNumber(text, out var bytes) && bytes > 0
            ? bytes >= Unlimited ? double.PositiveInfinity : bytes
            : double.NaN;
    }
}
