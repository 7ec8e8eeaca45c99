using ResilientHost.Hosting;

namespace ResilientHost.Signals;

/// <summary>
/// Share of time in which tasks waited for a resource: the kernel's pressure stall information, from the growth of its <c>total</c>, which is in microseconds
/// (<see href="https://docs.kernel.org/accounting/psi.html">PSI</see>). The averages beside it are over 10 s and more, too slow for here.
/// </summary>
internal sealed class PressureSignal : ISignalSource, IDisposable
{
    private const double MicrosecondsPerSecond = 1_000_000;

    private readonly IHostFile _file;
    private readonly HostText _text;
    private readonly bool _full;
    private RateMeter _stalled;

    private PressureSignal(string name, IHostFile file, bool full, HostText text, MonotonicClock clock)
    {
        (Name, _file, _full, _text) = (name, file, full, text);
        _stalled = new(clock.Frequency);
    }

    public string Name { get; }

    /// <summary>The first of some files that can be opened and understood: a kernel can be started with the files there and the measurement off.</summary>
    /// <param name="name">Name of the signal.</param>
    /// <param name="full">Whether every task must have waited, or some.</param>
    /// <param name="files">The kernel's files.</param>
    /// <param name="paths">Where to look, best first.</param>
    /// <param name="text">The buffer.</param>
    /// <param name="clock">The clock.</param>
    public static PressureSignal? TryCreate(string name, bool full, IHostFiles files, IEnumerable<string> paths, HostText text, MonotonicClock clock)
    {
        foreach (var path in paths)
        {
            var file = files.TryOpen(path);
            if (file is not null && Total(text.Of(file), full) >= 0)
            {
                return new(name, file, full, text, clock);
            }

            file?.Dispose();
        }

        return null;
    }

    /// <summary>At most 1: the timestamp is a little older than the counter, by more or less each time.</summary>
    public double Read(long now) => Math.Min(_stalled.Next(now, Total(_text.Of(_file), _full)) / MicrosecondsPerSecond, 1);

    public void Dispose() => _file.Dispose();

    private static long Total(ReadOnlySpan<byte> text, bool full) =>
        KernelText.NumberAfter(KernelText.Line(text, full ? "full "u8 : "some "u8), " total="u8);
}
