using ResilientHost.Hosting;

namespace ResilientHost.Signals;

/// <summary>
/// How often per second a control group met its memory limit: <c>max</c>, <c>oom</c> and <c>oom_kill</c> of version 2's <c>memory.events</c>, version 1's <c>memory.failcnt</c>.
/// </summary>
internal sealed class MemoryEventsSignal : ISignalSource, IDisposable
{
    private readonly IHostFile _file;
    private readonly HostText _text;
    private readonly bool _isUnified;
    private RateMeter _events;

    private MemoryEventsSignal(IHostFile file, bool isUnified, HostText text, MonotonicClock clock)
    {
        (_file, _isUnified, _text) = (file, isUnified, text);
        _events = new(clock.Frequency);
    }

    public string Name => ResilienceDiagnostics.SignalNames.MemoryEvents;

    /// <summary>The signal of a group; <see langword="null"/> when the group tells no such events, as the root of version 2.</summary>
    public static MemoryEventsSignal? TryCreate(IHostFiles files, string directory, bool isUnified, HostText text, MonotonicClock clock)
    {
        var file = files.TryOpen(directory + (isUnified ? "/memory.events" : "/memory.failcnt"));
        if (file is not null && Total(text.Of(file), isUnified) >= 0)
        {
            return new(file, isUnified, text, clock);
        }

        file?.Dispose();
        return null;
    }

    public double Read(long now) => _events.Next(now, Total(_text.Of(_file), _isUnified));

    public void Dispose() => _file.Dispose();

    private static long Total(ReadOnlySpan<byte> text, bool isUnified)
    {
        if (!isUnified)
        {
            return KernelText.NumberAfter(text, default);
        }

        var max = KernelText.NumberAfter(KernelText.Line(text, "max "u8), default);
        var oom = KernelText.NumberAfter(KernelText.Line(text, "oom "u8), default);
        var kills = KernelText.NumberAfter(KernelText.Line(text, "oom_kill "u8), default);
        var sum = (Int128)max + oom + kills;
        return max < 0 || oom < 0 || kills < 0 || sum > long.MaxValue ? -1 : (long)sum;
    }
}
