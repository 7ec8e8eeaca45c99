using ResilientHost.Hosting;

namespace ResilientHost.Fallbacks;

/// <summary>When which response of an endpoint was last taken, so that it is taken once per interval and not with every request.</summary>
/// <remarks>
/// Thread-safe, without locks and of fixed size: a direct-mapped table. Two responses that share a slot take turns, which costs a copy more than needed and never a response.
/// A slot is one word, 24 bits of the hash and 40 bits of milliseconds (34 years), so it is never read half-written.
/// </remarks>
internal sealed class StaleRefreshTable
{
    private const int Slots = 1024;
    private const int TimeBits = 40;
    private const long TimeMask = (1L << TimeBits) - 1;

    private readonly long _start;
    private readonly long _ticksPerMillisecond;
    private readonly long _interval;
    private long[]? _slots;

    public StaleRefreshTable(MonotonicClock clock, TimeSpan interval)
    {
        _start = clock.Timestamp();
        _ticksPerMillisecond = Math.Max(1, clock.Frequency / 1000);
        _interval = Math.Max(1, clock.ToTimestampTicks(interval) / _ticksPerMillisecond);
    }

    /// <summary>Whether the response is due; then it counts as taken.</summary>
    public bool TryClaim(uint hash, long now)
    {
        ref var slot = ref Slot(hash);
        var seen = Volatile.Read(ref slot);
        var time = Time(now);
        if (Tag(seen) == Tag(hash) && (seen & TimeMask) != 0 && time - (seen & TimeMask) < _interval)
        {
            return false;
        }

        // Of several that find it due at once, one takes it.
        return Interlocked.CompareExchange(ref slot, ((long)Tag(hash) << TimeBits) | time, seen) == seen;
    }

    /// <summary>It was not taken after all.</summary>
    public void Release(uint hash)
    {
        ref var slot = ref Slot(hash);
        var seen = Volatile.Read(ref slot);
        if (Tag(seen) == Tag(hash))
        {
            Interlocked.CompareExchange(ref slot, 0, seen);
        }
    }

    // One, not zero, at the start: zero is an empty slot. A timestamp read before the table was made is the start.
    private long Time(long now) => Math.Max(0, now - _start) / _ticksPerMillisecond + 1 & TimeMask;

    private ref long Slot(uint hash)
    {
        var slots = Volatile.Read(ref _slots) ?? Make();
        return ref slots[hash % Slots];
    }

    private long[] Make()
    {
        var made = new long[Slots];
        return Interlocked.CompareExchange(ref _slots, made, null) ?? made;
    }

    private static uint Tag(uint hash) => hash >> 8;

    private static uint Tag(long slot) => (uint)(slot >>> TimeBits);
}
