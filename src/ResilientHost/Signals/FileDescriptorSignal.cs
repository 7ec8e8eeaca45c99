using ResilientHost.Hosting;

namespace ResilientHost.Signals;

/// <summary>Open file descriptors as a share of the process's limit.</summary>
/// <remarks>
/// Since Linux 6.2 the size of <c>/proc/self/fd</c> is their number. Whether it follows what is opened is tried out once; where it does not they are counted, at most every 5 s, for that takes milliseconds when
/// there are thousands.
/// </remarks>
internal sealed class FileDescriptorSignal : ISignalSource, IDisposable
{
    private static readonly TimeSpan CountInterval = TimeSpan.FromSeconds(5);

    private readonly IHostFile _limits;
    private readonly IHostDirectory _descriptors;
    private readonly HostText _text;
    private readonly bool _sizeIsCount;
    private readonly long _countTicks;
    private long _count;
    private long _countedAt;
    private bool _hasCounted;

    private FileDescriptorSignal(IHostFile limits, IHostDirectory descriptors, bool sizeIsCount, HostText text, MonotonicClock clock)
    {
        (_limits, _descriptors, _sizeIsCount, _text) = (limits, descriptors, sizeIsCount, text);
        _countTicks = clock.ToTimestampTicks(CountInterval);
    }

    public string Name => ResilienceDiagnostics.SignalNames.FileDescriptors;

    /// <summary>The signal, or why there is none.</summary>
    public static FileDescriptorSignal? TryCreate(IHostFiles files, HostText text, MonotonicClock clock, out string why)
    {
        var limits = files.TryOpen("/proc/self/limits");
        if (limits is null || Limit(text.Of(limits)) <= 0)
        {
            limits?.Dispose();
            why = "/proc/self/limits tells no limit of open files";
            return null;
        }

        var descriptors = files.TryOpenDirectory("/proc/self/fd");
        if (descriptors is null || descriptors.Count() < 0)
        {
            limits.Dispose();
            descriptors?.Dispose();
            why = "/proc/self/fd cannot be listed";
            return null;
        }

        var sizeIsCount = DescriptorListSize.IsCount(() => descriptors.Size, () => files.TryOpen("/proc/self/limits"));
        if (sizeIsCount)
        {
            // Its size can be asked without the descriptor that counting holds.
            descriptors.Dispose();
            descriptors = files.TryOpenDirectory("/proc/self/fd") ?? descriptors;
        }

        why = "";
        return new(limits, descriptors, sizeIsCount, text, clock);
    }

    public double Read(long now)
    {
        var limit = Limit(_text.Of(_limits));
        var open = _sizeIsCount ? _descriptors.Size : Counted(now);
        return limit > 0 && open >= 0 ? (double)open / limit : double.NaN;
    }

    public void Dispose()
    {
        _limits.Dispose();
        _descriptors.Dispose();
    }

    private static long Limit(ReadOnlySpan<byte> text) => KernelText.NumberAfter(KernelText.Line(text, "Max open files"u8), default);

    private long Counted(long now)
    {
        if (!_hasCounted || now - _countedAt >= _countTicks)
        {
            (_hasCounted, _countedAt, _count) = (true, now, _descriptors.Count());
        }

        return _count;
    }
}
