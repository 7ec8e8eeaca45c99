using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ResilientHost.Hosting;

namespace ResilientHost.History;

/// <summary>Counts the calls of one circuit and measures some of them, for the history. Thread-safe; takes no lock.</summary>
/// <remarks>
/// There is one only where a dashboard is mapped that keeps a history. Counts are exact: in one set of words until two threads meet there, then each core has its own. Durations are sampled by
/// arrival: <see cref="TryTake"/> closes the watch after <see cref="MaxSamples"/>, and the recorder opens it again a few times a second. Below a few hundred calls per second all are measured;
/// above, nearly none pays for it. Not by departure: then slow calls, which begin in one opening and end in none, would be missing.
/// </remarks>
internal sealed class CallWatch
{
    /// <summary>Calls that are measured between two openings.</summary>
    public const int MaxSamples = 64;

    // Between two openings: in a flood of refusals nearly none of them pays for it.
    private const int MaxReturns = 16 * MaxSamples;

    private const int Ends = (int)CallEnd.Refused + 1;

    // Two lines of 64 bytes for each core: neighbours are fetched in pairs.
    private const int StripeLength = 16;

    // Nothing is counted beside the array's length, which every core reads before each count.
    private const int FirstStripe = 16;

    private Counts _counts;
    private long[]? _stripes;
    private int[]? _durations;
    private int _taken;
    private int _returned;
    private volatile bool _isOpen = true;

    /// <summary>Whether the next call may be measured.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>When a call began that is to be measured; 0 for one that is not.</summary>
    public static long Begin(CallWatch? watch, MonotonicClock clock) => watch is { IsOpen: true } && watch.TryTake() ? clock.Timestamp() : 0;

    /// <summary>Counts a call that was let through, and notes how long it took if <see cref="Begin"/> said so.</summary>
    public static void End(CallWatch? watch, MonotonicClock clock, long began, CallOutcome outcome)
    {
        if (watch is null)
        {
            return;
        }

        watch.Count((CallEnd)outcome);
        if (began != 0 && outcome != CallOutcome.Ignored)
        {
            watch.Measure(clock.Elapsed(began, clock.Timestamp()));
        }
    }

    /// <summary>Counts a call that was refused.</summary>
    public void CountRefusal(in Refusal refusal) => Count(refusal.Reason == RefusalReason.CircuitOpen ? CallEnd.RefusedByCircuit : CallEnd.Refused);

    /// <summary>Counts a call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Count(CallEnd end)
    {
        if (_stripes is { } stripes)
        {
            Interlocked.Increment(ref stripes[FirstStripe + (NearbyProcessor.Place * StripeLength) + (int)end]);
        }
        else
        {
            CountAlone(end);
        }
    }

    /// <summary>Whether a call that begins now is to be measured. Whoever is told so need not end it.</summary>
    public bool TryTake()
    {
        var taken = Interlocked.Increment(ref _taken);
        if (taken >= MaxSamples)
        {
            _isOpen = false;
        }

        return taken <= MaxSamples;
    }

    /// <summary>Gives back what <see cref="TryTake"/> gave, for a call that was refused: while nearly all are, the few others are still measured.</summary>
    public void Return()
    {
        if (Interlocked.Increment(ref _returned) <= MaxReturns)
        {
            Interlocked.Decrement(ref _taken);
            _isOpen = true;
        }
    }

    /// <summary>Notes how long a call took.</summary>
    public void Measure(TimeSpan duration)
    {
        var durations = _durations ?? Interlocked.CompareExchange(ref _durations, new int[LatencyBuckets.Count], null) ?? _durations;
        Interlocked.Increment(ref durations[LatencyBuckets.Of(duration.TotalSeconds)]);
    }

    /// <summary>Lets the next calls be measured. For the recorder.</summary>
    public void Open()
    {
        Volatile.Write(ref _taken, 0);
        Volatile.Write(ref _returned, 0);
        _isOpen = true;
    }

    /// <summary>All calls since the watch was made. For the recorder; every count is in one reading or the next.</summary>
    public CallTotals Read()
    {
        Span<long> sums = stackalloc long[Ends];
        for (var end = 0; end < Ends; end++)
        {
            sums[end] = Interlocked.Read(ref _counts[end]);
        }

        if (Volatile.Read(ref _stripes) is { } stripes)
        {
            for (var start = FirstStripe; start < stripes.Length; start += StripeLength)
            {
                for (var end = 0; end < Ends; end++)
                {
                    sums[end] += Interlocked.Read(ref stripes[start + end]);
                }
            }
        }

        return new(sums[(int)CallEnd.Succeeded], sums[(int)CallEnd.Failed], sums[(int)CallEnd.Ignored], sums[(int)CallEnd.RefusedByCircuit], sums[(int)CallEnd.Refused]);
    }

    /// <summary>Takes the durations since the last time. For the recorder.</summary>
    /// <param name="into">Added to, by bucket.</param>
    /// <returns>How many there were.</returns>
    public int TakeDurations(Span<int> into)
    {
        if (Volatile.Read(ref _durations) is not { } durations)
        {
            return 0;
        }

        var count = 0;
        for (var bucket = 0; bucket < durations.Length; bucket++)
        {
            if (Volatile.Read(ref durations[bucket]) != 0)
            {
                var taken = Interlocked.Exchange(ref durations[bucket], 0);
                into[bucket] += taken;
                count += taken;
            }
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CountAlone(CallEnd end)
    {
        ref var word = ref _counts[(int)end];
        var seen = Volatile.Read(ref word);
        if (Interlocked.CompareExchange(ref word, seen + 1, seen) == seen)
        {
            return;
        }

        if (NearbyProcessor.Places == 1)
        {
            Interlocked.Increment(ref word);
            return;
        }

        Interlocked.CompareExchange(ref _stripes, new long[FirstStripe + (NearbyProcessor.Places * StripeLength)], null);
        Count(end);
    }

    [InlineArray(Ends)]
    private struct Counts
    {
        private long _first;
    }
}

/// <summary>Calls by their end.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CallTotals(long Succeeded, long Failed, long Ignored, long RefusedByCircuit, long Refused)
{
    /// <summary>Those that were let through.</summary>
    public long Calls => Succeeded + Failed + Ignored;

    public static CallTotals operator -(in CallTotals now, in CallTotals before) => new(
        now.Succeeded - before.Succeeded,
        now.Failed - before.Failed,
        now.Ignored - before.Ignored,
        now.RefusedByCircuit - before.RefusedByCircuit,
        now.Refused - before.Refused);

    public static CallTotals operator +(in CallTotals one, in CallTotals other) => new(
        one.Succeeded + other.Succeeded,
        one.Failed + other.Failed,
        one.Ignored + other.Ignored,
        one.RefusedByCircuit + other.RefusedByCircuit,
        one.Refused + other.Refused);
}
