using System.Runtime.InteropServices;
using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>How a worker is heard: beats, work under way, and times when silence means nothing.</summary>
/// <remarks>
/// Thread-safe; one short lock. Every call names its run: what an abandoned run still says is not the worker's any more. While work is under way, the oldest piece of it is judged, so
/// that one that hangs is not drowned out by those that go on beside it; a beat speaks for all of it.
/// </remarks>
internal sealed class WorkerPulse(MonotonicClock clock)
{
    private const int None = -1;

    private readonly Lock _gate = new();
    private Work[] _works = new Work[1];
    private int _used;
    private int _free = None;
    private int _underWay;
    private int _idle;
    private int _run;
    private bool _hasRun;
    private long _lastSign;
    private bool _hasSign;
    private long _lastBeat;
    private string? _activity;

    /// <summary>When it was heard of last, in whatever way; <see langword="null"/> before the first run.</summary>
    public long? LastBeat
    {
        get
        {
            lock (_gate)
            {
                return _hasSign ? _lastSign : null;
            }
        }
    }

    /// <summary>What it did last, for people.</summary>
    public string? Activity
    {
        get
        {
            lock (_gate)
            {
                return _activity;
            }
        }
    }

    /// <summary>The run that is heard; 0 before the first.</summary>
    public int Run
    {
        get
        {
            lock (_gate)
            {
                return _run;
            }
        }
    }

    /// <summary>Whether any piece of work is under way.</summary>
    public bool IsWorking
    {
        get
        {
            lock (_gate)
            {
                return _underWay > 0;
            }
        }
    }

    /// <summary>A run begins: whatever an earlier one left behind counts no more. Said again of the same run, or late of an earlier one, it does nothing.</summary>
    public void BeginRun(int run)
    {
        lock (_gate)
        {
            // An abandoned run may get its thread after its successor: it must not silence that one.
            if (run < _run || (_hasRun && run == _run))
            {
                return;
            }

            _run = run;
            _hasRun = true;
            _works.AsSpan(0, _used).Clear();
            _used = 0;
            _free = None;
            _underWay = 0;
            _idle = 0;
            _activity = null;
            Sign(explicitly: true);
        }
    }

    /// <summary>The run has ended, or is to: its silence means nothing from here.</summary>
    public void EndRun(int run)
    {
        lock (_gate)
        {
            if (run == _run)
            {
                _hasRun = false;
            }
        }
    }

    /// <summary>It lives.</summary>
    /// <param name="run">Whose beat it is.</param>
    /// <param name="activity">What it does now; <see langword="null"/> leaves what was said last.</param>
    public void Beat(int run, string? activity = null)
    {
        lock (_gate)
        {
            if (run == _run)
            {
                _activity = activity ?? _activity;
                Sign(explicitly: true);
            }
        }
    }

    /// <summary>A piece of work begins. Allocates only when more pieces than ever before are under way at once.</summary>
    /// <returns>What to give to <see cref="EndWork"/>.</returns>
    public int BeginWork(int run, string activity)
    {
        lock (_gate)
        {
            if (run != _run)
            {
                return None;
            }

            _activity = activity;
            Sign(explicitly: false);
            _underWay++;
            var index = Take();
            _works[index] = new Work(_lastSign, activity, None);
            return index;
        }
    }

    /// <summary>A piece of work has ended. Once for each that began.</summary>
    public void EndWork(int run, int work)
    {
        lock (_gate)
        {
            if (run != _run || work == None)
            {
                return;
            }

            _works[work] = new Work(0, Activity: null, _free);
            _free = work;
            _underWay--;
            Sign(explicitly: false);
        }
    }

    /// <summary>It waits for something that may take any time: until <see cref="EndIdle"/> silence means nothing, unless work is under way beside it.</summary>
    public void BeginIdle(int run)
    {
        lock (_gate)
        {
            if (run == _run)
            {
                _idle++;
                Sign(explicitly: false);
            }
        }
    }

    /// <summary>The wait is over, and silence counts from now on. Once for each that began.</summary>
    public void EndIdle(int run)
    {
        lock (_gate)
        {
            if (run == _run)
            {
                _idle--;
                Sign(explicitly: false);
            }
        }
    }

    /// <summary>How long nothing has been heard that should have been.</summary>
    /// <param name="now">Exact timestamp.</param>
    /// <returns><see langword="null"/> while silence means nothing.</returns>
    public WorkerSilence? Silence(long now)
    {
        lock (_gate)
        {
            if (!_hasRun || (_underWay == 0 && _idle > 0))
            {
                return null;
            }

            if (_underWay == 0)
            {
                return new WorkerSilence(_run, clock.Elapsed(_lastSign, now), _activity);
            }

            var oldest = Oldest();
            return oldest.Start > _lastBeat
                ? new WorkerSilence(_run, clock.Elapsed(oldest.Start, now), oldest.Activity)
                : new WorkerSilence(_run, clock.Elapsed(_lastBeat, now), oldest.Activity);
        }
    }

    private void Sign(bool explicitly)
    {
        _lastSign = clock.Timestamp();
        _hasSign = true;
        if (explicitly)
        {
            _lastBeat = _lastSign;
        }
    }

    private int Take()
    {
        if (_free is var index and not None)
        {
            _free = _works[index].NextFree;
            return index;
        }

        if (_used == _works.Length)
        {
            Array.Resize(ref _works, _works.Length * 2);
        }

        return _used++;
    }

    private Work Oldest()
    {
        Work oldest = default;
        foreach (var work in _works.AsSpan(0, _used))
        {
            if (work.Activity is not null && (oldest.Activity is null || work.Start < oldest.Start))
            {
                oldest = work;
            }
        }

        return oldest;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Work(long Start, string? Activity, int NextFree);
}

/// <summary>How long nothing has been heard of a run, and what it did last.</summary>
internal sealed record WorkerSilence(int Run, TimeSpan For, string? Activity);
