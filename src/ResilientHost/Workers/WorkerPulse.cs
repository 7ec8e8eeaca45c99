using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>How a worker is heard: beats, work under way, and times when silence means nothing. Thread-safe.</summary>
internal sealed class WorkerPulse(MonotonicClock clock)
{
    private long _lastBeat;
    private string? _activity;

    /// <summary>When it was heard of last; <see langword="null"/> before the first run.</summary>
    public long? LastBeat => Volatile.Read(ref _lastBeat) is var at and not 0 ? at : null;

    /// <summary>What it did last, for people.</summary>
    public string? Activity => Volatile.Read(ref _activity);

    /// <summary>It lives.</summary>
    /// <param name="activity">What it does now; <see langword="null"/> leaves what was said last.</param>
    public void Beat(string? activity = null)
    {
        if (activity is not null)
        {
            Volatile.Write(ref _activity, activity);
        }

        Volatile.Write(ref _lastBeat, clock.Timestamp());
    }
}
