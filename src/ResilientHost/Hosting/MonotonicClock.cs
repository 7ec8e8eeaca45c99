namespace ResilientHost.Hosting;

/// <summary>
/// The one place that reads a clock. Timestamps are ticks of the <see cref="TimeProvider"/> ("since when" and "how long");
/// wall-clock time is for people only.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class MonotonicClock
{
    // The frequency of the system's own on Linux: dividing by a constant is cheaper than going by floating point and back.
    private const long NanosecondsPerSecond = TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick;

    // More than two threads' looks at two clocks are apart, and less than anybody sets a clock by.
    private static readonly TimeSpan SameClock = TimeSpan.FromMilliseconds(50);

    // Milliseconds. Linux ticks a hundred times a second or more often, and the count is of whole milliseconds.
    private const int SlowestTick = 11;

    private readonly TimeProvider _provider;
    private readonly long _coarseFactor;
    private volatile Anchor? _anchor;

    public MonotonicClock(TimeProvider? provider)
    {
        _provider = provider ?? TimeProvider.System;
        Frequency = _provider.TimestampFrequency;

        // On Linux Environment.TickCount64 is CLOCK_MONOTONIC_COARSE and Stopwatch is CLOCK_MONOTONIC: the same time line,
        // at a quarter of the price (measured 6 ns against 25 ns), at most one kernel tick behind. Elsewhere the two drift.
        if (ReferenceEquals(_provider, TimeProvider.System) && OperatingSystem.IsLinux() && Frequency % 1000 == 0)
        {
            _coarseFactor = Frequency / 1000;
        }
    }

    /// <summary>Ticks per second of every timestamp.</summary>
    public long Frequency { get; }

    /// <summary>The provider behind this clock, for timers.</summary>
    public TimeProvider Provider => _provider;

    /// <summary>Whether it is the system's own time, whose timers can be taken back with certainty.</summary>
    public bool IsSystem => ReferenceEquals(_provider, TimeProvider.System);

    /// <summary>Whether <see cref="CoarseTimestamp"/> stands still between ticks of the kernel, so that what it dates may be reused within one.</summary>
    public bool HasTicks => _coarseFactor != 0;

    /// <summary>Wall-clock time, for people: events, logs, problem bodies.</summary>
    public DateTimeOffset UtcNow => _provider.GetUtcNow();

    /// <summary>The exact timestamp, for measuring how long a call took.</summary>
    public long Timestamp() => _provider.GetTimestamp();

    /// <summary>
    /// A timestamp on the same line as <see cref="Timestamp"/> that may be a few milliseconds behind it; exact for any
    /// provider but the system's. For windows and breaks, whose widths dwarf the difference.
    /// </summary>
    public long CoarseTimestamp() => _coarseFactor != 0 ? Environment.TickCount64 * _coarseFactor : _provider.GetTimestamp();

    /// <summary>
    /// A timestamp of this moment or a little later, at the price of the cheap clock: where something must not come too early and may come a tick late. Exact for any
    /// provider but the system's. Holds as long as the kernel's tick comes in time: a virtual machine may be held up for longer.
    /// </summary>
    public long CoarseTimestampNotBefore() => _coarseFactor != 0 ? (Environment.TickCount64 + SlowestTick) * _coarseFactor : _provider.GetTimestamp();

    /// <summary>The duration between two timestamps; never negative.</summary>
    public TimeSpan Elapsed(long from, long to) =>
        to <= from ? TimeSpan.Zero : ToTimeSpan(to - from);

    /// <summary>Wall-clock time of a timestamp near or before <paramref name="now"/>, as far as calendars reach: the wall clock may have been set anywhere.</summary>
    /// <remarks>The same timestamp has the same time whenever it is asked for, until the wall clock is set: what is told twice must not look like news.</remarks>
    public DateTimeOffset UtcAt(long timestamp, long now)
    {
        var anchor = _anchor;
        var utc = UtcNow.UtcTicks;
        if (anchor is null || Math.Abs(utc - TicksAt(anchor, now)) > SameClock.Ticks)
        {
            _anchor = anchor = new Anchor(utc, now);
        }

        return new(Math.Clamp(TicksAt(anchor, timestamp), 0, DateTimeOffset.MaxValue.Ticks), TimeSpan.Zero);
    }

    /// <summary>A number of timestamp ticks as the nearest duration.</summary>
    // Small enough to become part of its caller; a half is rounded up here, else to the even one.
    public TimeSpan ToTimeSpan(long timestampTicks) =>
        Frequency == NanosecondsPerSecond && timestampTicks >= 0 ? new TimeSpan((long)(((ulong)timestampTicks + (TimeSpan.NanosecondsPerTick / 2)) / TimeSpan.NanosecondsPerTick)) : ToTimeSpanByFrequency(timestampTicks);

    /// <summary>
    /// A duration in timestamp ticks, saturating far below overflow so that it can be added to a timestamp. Rounded up, for what took at
    /// least so many ticks took at least the duration.
    /// </summary>
    public long ToTimestampTicks(TimeSpan duration)
    {
        var ticks = (((Int128)duration.Ticks * Frequency) + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond;
        return ticks > long.MaxValue / 4 ? long.MaxValue / 4 : (long)ticks;
    }

    private TimeSpan ToTimeSpanByFrequency(long timestampTicks) =>
        Frequency == TimeSpan.TicksPerSecond
            ? new TimeSpan(timestampTicks)
            : new TimeSpan((long)Math.Min(Math.Round(timestampTicks * ((double)TimeSpan.TicksPerSecond / Frequency)), TimeSpan.MaxValue.Ticks / 2));

    private long TicksAt(Anchor anchor, long timestamp) =>
        anchor.UtcTicks + (timestamp >= anchor.Timestamp ? Elapsed(anchor.Timestamp, timestamp).Ticks : -Elapsed(timestamp, anchor.Timestamp).Ticks);

    /// <summary>Two clocks read at one moment.</summary>
    private sealed record Anchor(long UtcTicks, long Timestamp);
}
