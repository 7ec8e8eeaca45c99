using System.Collections.Concurrent;
using ResilientHost.Hosting;

namespace ResilientHost.Recovery;

/// <summary>
/// Lets the first exception of a fingerprint be logged in full and counts the others of its interval, which one line then sums up.
/// Rendering a stack costs several times the whole handling of a request, and a storm is when there is no time for it.
/// </summary>
/// <remarks>
/// Thread-safe, and without a lock for what is only counted. The table is bounded; fingerprints beyond it share one. A timer is armed only while there is something to sum up, so the last
/// summary of a storm is written although nothing follows it; <see cref="Flush"/> writes what is pending at the end.
/// </remarks>
internal sealed class StormGate : IDisposable
{
    public const int MaxFingerprints = 256;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<Fingerprint, Window> _windows = [];
    private readonly MonotonicClock _clock;
    private readonly Func<RecoveryPolicy> _policy;
    private readonly Action<StormSummary> _summarize;
    private readonly ITimer _timer;
    private long _timerDue = long.MaxValue;
    private bool _disposed;

    /// <param name="clock">The clock and its timers.</param>
    /// <param name="policy">Tells the interval.</param>
    /// <param name="summarize">Writes one summary; called outside the lock, must not throw.</param>
    public StormGate(MonotonicClock clock, Func<RecoveryPolicy> policy, Action<StormSummary> summarize)
    {
        _clock = clock;
        _policy = policy;
        _summarize = summarize;

        // The gate is made by the first request that fails; its trace must not own every summary that follows.
        var suppressed = !ExecutionContext.IsFlowSuppressed();
        if (suppressed)
        {
            ExecutionContext.SuppressFlow();
        }

        try
        {
            _timer = clock.Provider.CreateTimer(static state => ((StormGate)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        finally
        {
            if (suppressed)
            {
                ExecutionContext.RestoreFlow();
            }
        }
    }

    /// <summary>Whether this exception is to be logged in full; otherwise it has been counted.</summary>
    public bool Admit(in Fingerprint fingerprint)
    {
        if (_windows.TryGetValue(fingerprint, out var known) && _clock.Timestamp() < known.End && known.TryRepeat(out var isFirst))
        {
            if (isFirst)
            {
                lock (_gate)
                {
                    Arm(known.End, _clock.Timestamp());
                }
            }

            return false;
        }

        return AdmitLocked(fingerprint, _policy().DetailInterval);
    }

    /// <summary>Sums up everything that is pending, whether its interval has ended or not.</summary>
    public void Flush() => SumUp(long.MaxValue);

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _timer.Dispose();
        Flush();
    }

    private bool AdmitLocked(in Fingerprint fingerprint, TimeSpan interval)
    {
        StormSummary? due;
        lock (_gate)
        {
            var now = _clock.Timestamp();
            var window = WindowOf(fingerprint, now);
            if (now < window.End)
            {
                window.TryRepeat(out var isFirst);
                if (isFirst)
                {
                    Arm(window.End, now);
                }

                return false;
            }

            due = window.Take();
            window.Interval = interval;
            window.End = now + _clock.ToTimestampTicks(interval);
        }

        if (due is { } summary)
        {
            _summarize(summary);
        }

        return true;
    }

    private void OnTimer() => SumUp(_clock.Timestamp());

    private void SumUp(long endedBy)
    {
        List<StormSummary>? due = null;
        lock (_gate)
        {
            _timerDue = long.MaxValue;
            var now = _clock.Timestamp();
            foreach (var (_, window) in _windows)
            {
                if (!window.HasRepeats)
                {
                    continue;
                }

                if (window.End > endedBy)
                {
                    Arm(window.End, now);
                }
                else if (window.Take() is { } summary)
                {
                    (due ??= []).Add(summary);
                }
            }
        }

        foreach (var summary in due ?? [])
        {
            _summarize(summary);
        }
    }

    // Under the lock.
    private Window WindowOf(in Fingerprint fingerprint, long now)
    {
        if (_windows.TryGetValue(fingerprint, out var window))
        {
            return window;
        }

        var key = fingerprint;
        if (_windows.Count >= MaxFingerprints)
        {
            RemoveQuiet(now);
            if (_windows.Count >= MaxFingerprints)
            {
                key = Fingerprint.Other;
                if (_windows.TryGetValue(key, out window))
                {
                    return window;
                }
            }
        }

        window = new Window(key) { End = now };
        _windows[key] = window;
        return window;
    }

    private void RemoveQuiet(long now)
    {
        foreach (var (key, window) in _windows)
        {
            if (window.End <= now && window.TryClose())
            {
                _windows.TryRemove(key, out _);
            }
        }
    }

    private void Arm(long due, long now)
    {
        if (due >= _timerDue || _disposed)
        {
            return;
        }

        _timerDue = due;

        // At least a millisecond: system timers fire on whole ones, and a timer that comes a little early must not spin.
        var wait = _clock.Elapsed(now, due);
        _timer.Change(wait < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The interval of a fingerprint. What changes more than the count is changed under the lock.</summary>
    private sealed class Window(Fingerprint fingerprint)
    {
        // Far enough from 0 that those who count at the moment of the end do not bring it back there.
        private const long Closed = long.MinValue;

        private long _end;
        private long _repeats;

        public long End
        {
            get => Volatile.Read(ref _end);
            set => Volatile.Write(ref _end, value);
        }

        public TimeSpan Interval { get; set; }

        public bool HasRepeats => Volatile.Read(ref _repeats) != 0;

        /// <summary>Counts one more; not in a window that has been taken out of the table.</summary>
        public bool TryRepeat(out bool isFirst)
        {
            var repeats = Interlocked.Increment(ref _repeats);
            isFirst = repeats == 1;
            return repeats > 0;
        }

        /// <summary>Ends it for good, unless there is something to sum up.</summary>
        public bool TryClose() => Interlocked.CompareExchange(ref _repeats, Closed, 0) == 0;

        public StormSummary? Take() =>
            Interlocked.Exchange(ref _repeats, 0) is var repeats and not 0 ? new StormSummary(fingerprint, repeats, Interval) : null;
    }
}
