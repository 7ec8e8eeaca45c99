using System.Runtime.InteropServices;

namespace ResilientHost.Bulkheads;

/// <summary>The mean latency of the calls of a short while. Adding takes no lock; <see cref="Close"/> needs the bulkhead's.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct LimitWindow
{
    /// <summary>Fewer calls say too little to act on.</summary>
    public const int MinSamples = 10;

    // More would say nothing new, and on many cores be nothing but writes to one cache line.
    private const int MaxSamples = 1024;

    // Count and sum in one word, so that they always belong together: 1,024 (and some threads more) times 2^37 stay below 2^48.
    private const int CountShift = 48;
    private const long MaxLatency = 1L << 37;

    private long _samples;
    private int _isBusy;

    /// <summary>Whether at least half of the limit was in use when one of the calls left.</summary>
    public readonly bool IsBusy => Volatile.Read(in _isBusy) != 0;

    public readonly int Count => (int)(Volatile.Read(in _samples) >> CountShift);

    public void MarkBusy() => Volatile.Write(ref _isBusy, 1);

    /// <summary>Adds a call. One longer than 2^37 ticks (137 s of nanoseconds) counts as that long.</summary>
    public void Add(long latency)
    {
        if (Count < MaxSamples)
        {
            Interlocked.Add(ref _samples, (1L << CountShift) + Math.Clamp(latency, 1, MaxLatency));
        }
    }

    /// <summary>Begins the next window.</summary>
    public (double Latency, bool IsBusy) Close()
    {
        var samples = Interlocked.Exchange(ref _samples, 0);
        var count = samples >> CountShift;
        return ((samples - (count << CountShift)) / (double)Math.Max(count, 1), Interlocked.Exchange(ref _isBusy, 0) != 0);
    }
}
