using ResilientHost.Hosting;

namespace ResilientHost.Signals;

/// <summary>Memory in use as a share of its limit, now and as it will be: what two signals tell is measured once.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class MemoryUse : IDisposable
{
    private const double LookAheadSeconds = 10;
    private const double ProjectedFrom = 0.5;
    private static readonly TimeSpan LongestWithoutCollection = TimeSpan.FromSeconds(4);

    private readonly IRuntimeFacts _facts;
    private readonly MonotonicClock _clock;
    private readonly HostText _text;
    private readonly MemoryLimit _limit;
    private readonly IHostFile? _pages;
    private Growth _useGrowth = new();
    private Growth _committedGrowth = new();
    private int _collections = -1;
    private long _collectedAt;
    private bool _hasRead;
    private long _readAt;
    private double _present;
    private double _projected;

    public MemoryUse(IHostFiles files, IRuntimeFacts facts, MonotonicClock clock, HostText text, MemoryLimit limit)
    {
        (_facts, _clock, _text, _limit) = (facts, clock, text, limit);
        _pages = files.TryOpen("/proc/self/statm");
    }

    /// <summary>The worse of heap and working set, each as a share of its limit; <see cref="double.NaN"/> when neither can be told.</summary>
    public double Present(long now)
    {
        Measure(now);
        return _present;
    }

    /// <summary>The same in 10 s if it goes on as it does; never less than <see cref="Present"/>, and just that below half of the limit.</summary>
    public double Projected(long now)
    {
        Measure(now);
        return _projected;
    }

    /// <summary>
    /// What is turned down does not allocate, and without allocations nothing is collected: a heap full of garbage would look full for ever. So while it is what holds the service level, it is collected.
    /// </summary>
    public void Confirm(long now)
    {
        var collections = _facts.FullCollections;
        if (collections != _collections)
        {
            (_collections, _collectedAt) = (collections, now);
        }
        else if (_clock.Elapsed(_collectedAt, now) >= LongestWithoutCollection)
        {
            _collectedAt = now;
            _facts.Collect();
        }
    }

    public void Dispose() => _pages?.Dispose();

    private void Measure(long now)
    {
        if (_hasRead && now <= _readAt)
        {
            return;
        }

        var heapLimit = _facts.HeapLimitBytes;
        var heap = heapLimit > 0 ? (double)_facts.HeapBytes / heapLimit : double.NaN;
        var committed = heapLimit > 0 ? (double)_facts.CommittedBytes / heapLimit : double.NaN;
        _present = Worse(heap, WorkingSet() / Finite(_limit.Bytes()));

        var seconds = _hasRead ? _clock.Elapsed(_readAt, now).TotalSeconds : 0;
        var growth = Worse(_useGrowth.Next(seconds, _present), _committedGrowth.Next(seconds, committed));
        _projected = _present >= ProjectedFrom && growth > 0 ? _present + (growth * LookAheadSeconds) : _present;
        (_hasRead, _readAt) = (true, now);
    }

    private double WorkingSet() =>
        KernelText.TryNumber(_text.Of(_pages), out var size, out var rest) && size >= 0 && KernelText.TryNumber(rest, out var resident) && resident > 0
            ? (double)resident * _facts.PageSize
            : double.NaN;

    /// <summary>A part of nothing known is not known either, rather than nothing.</summary>
    private static double Finite(double limit) => double.IsFinite(limit) ? limit : double.NaN;

    /// <summary>The larger one of what is known.</summary>
    private static double Worse(double one, double other) => double.IsNaN(one) || other > one ? other : one;
}
