using System.Runtime.InteropServices;

namespace ResilientHost.CircuitBreaking;

/// <summary>The callers that had trouble last, one entry each: enough to tell whether at least so many had some within a window, and within a row of failures.</summary>
/// <remarks>
/// <para>
/// Whoever needs N callers keeps N: a caller that returns renews its entry, a new one takes the place of the one whose trouble is the longest ago. The N entries are then
/// the N latest callers, so all of them lie within a window exactly if N callers had trouble in it. (The inclusion property of least-recently-used stacks, Mattson et al.,
/// "Evaluation techniques for storage hierarchies", 1970.) Unlike a bitmap for each bucket it is exact, but for two callers in 2^32 that have the same hash, smaller, and
/// serves windows by time and by count alike.
/// </para>
/// <para>Thread-safe by a lock, which only calls in trouble take, and calls that look at a window whose ratio has been reached.</para>
/// </remarks>
internal sealed class CallerTrail
{
    private readonly Lock _lock = new();
    private Entry[] _entries;
    private int _count;
    private long _troubles;

    public CallerTrail(int capacity) => _entries = new Entry[capacity];

    private CallerTrail(Entry[] entries, int count, long troubles) => (_entries, _count, _troubles) = (entries, count, troubles);

    /// <summary>Notes a caller's trouble.</summary>
    /// <param name="capacity">Callers to keep from now on; never fewer than before.</param>
    /// <param name="caller">Hash of the caller's key.</param>
    /// <param name="at">Its place in the window.</param>
    public void Add(int capacity, int caller, long at)
    {
        lock (_lock)
        {
            AddUnderLock(capacity, caller, at);
        }
    }

    /// <summary>Notes a caller's failure that makes a row of failures longer.</summary>
    /// <param name="capacity">Callers to keep from now on; never fewer than before.</param>
    /// <param name="caller">Hash of the caller's key.</param>
    /// <param name="at">Its place in the window.</param>
    /// <param name="row">The row's length; written here, so that it and the number of the failure grow together.</param>
    /// <returns>The row's length with this failure, and how many callers it is from.</returns>
    public (int Row, int Callers) AddToRow(int capacity, int caller, long at, ref int row)
    {
        lock (_lock)
        {
            AddUnderLock(capacity, caller, at);
            var length = Interlocked.Increment(ref row);
            var first = _troubles - length + 1;
            var callers = 0;
            foreach (ref readonly var entry in _entries.AsSpan(0, _count))
            {
                callers += entry.Number >= first ? 1 : 0;
            }

            return (length, callers);
        }
    }

    /// <summary>How many callers had trouble from <paramref name="first"/> on, as far as they are kept.</summary>
    public int CountSince(long first)
    {
        lock (_lock)
        {
            var callers = 0;
            foreach (ref readonly var entry in _entries.AsSpan(0, _count))
            {
                callers += entry.At >= first ? 1 : 0;
            }

            return callers;
        }
    }

    /// <summary>A copy for a new window, that has seen none of the calls, while the row of failures goes on.</summary>
    public CallerTrail ForNewWindow()
    {
        lock (_lock)
        {
            var entries = Array.ConvertAll(_entries, entry => entry with { At = long.MinValue });
            return new CallerTrail(entries, _count, _troubles);
        }
    }

    private void AddUnderLock(int capacity, int caller, long at)
    {
        if (capacity > _entries.Length)
        {
            Array.Resize(ref _entries, capacity);
        }

        _troubles++;
        var oldest = 0;
        for (var i = 0; i < _count; i++)
        {
            ref var entry = ref _entries[i];
            if (entry.Caller == caller)
            {
                // A call whose clock was read earlier may get here later.
                entry = new Entry(caller, Math.Max(entry.At, at), _troubles);
                return;
            }

            if (entry.Number < _entries[oldest].Number)
            {
                oldest = i;
            }
        }

        _entries[_count < _entries.Length ? _count++ : oldest] = new Entry(caller, at, _troubles);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Entry(int Caller, long At, long Number);
}
