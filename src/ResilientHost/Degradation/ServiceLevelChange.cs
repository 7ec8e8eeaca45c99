namespace ResilientHost;

/// <summary>One change of the service level.</summary>
/// <param name="From">The level before.</param>
/// <param name="To">The level now.</param>
/// <param name="Cause">Why.</param>
/// <param name="At">When, wall-clock time.</param>
/// <param name="Signals">What the signals said at that moment.</param>
public sealed record ServiceLevelChange(ServiceLevel From, ServiceLevel To, ServiceLevelCause Cause, DateTimeOffset At, IReadOnlyList<SignalReading> Signals)
{
    /// <summary>The signal that decided; <see langword="null"/> when a person did.</summary>
    public string? Signal { get; init; }

    /// <summary>Who overrode the level or ended an override; <see langword="null"/> when no one was named.</summary>
    public string? By { get; init; }
}

/// <summary>Why the service level changed.</summary>
public enum ServiceLevelCause
{
    /// <summary>A signal was at or above its enter threshold for long enough.</summary>
    Overload,

    /// <summary>Every signal was at or below its exit threshold for long enough.</summary>
    Recovery,

    /// <summary>A person or code set the level.</summary>
    Override,

    /// <summary>An override was cleared or has expired, or the layer was turned off or on by configuration.</summary>
    OverrideEnded,
}

/// <summary>The service level at one moment.</summary>
public sealed record ServiceLevelSnapshot
{
    /// <summary>The level in force.</summary>
    public required ServiceLevel Level { get; init; }

    /// <summary>Since when it is in force, wall-clock time.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>What the signals ask for, overridden or not.</summary>
    public required ServiceLevel SignalledLevel { get; init; }

    /// <summary>How far into the signalled level shedding has grown: 0 at <see cref="ServiceLevel.Normal"/>, up to 3 with <see cref="ServiceLevel.Survival"/> in full.</summary>
    public required double Severity { get; init; }

    /// <summary>Whether the level is held by hand.</summary>
    public required bool IsOverridden { get; init; }

    /// <summary>When the override expires, wall-clock time; <see langword="null"/> without one or when it does not expire.</summary>
    public DateTimeOffset? OverriddenUntil { get; init; }

    /// <summary>Whether requests are turned down; in <see cref="DegradationMode.Shadow"/> it is only counted which would have been.</summary>
    public required DegradationMode Mode { get; init; }

    /// <summary>The last reading of each signal.</summary>
    public required IReadOnlyList<SignalReading> Signals { get; init; }
}

/// <summary>One signal at one moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">The smoothed value; <see langword="null"/> while there is none.</param>
/// <param name="Enter">From this value on the service level rises.</param>
/// <param name="Exit">Down to this value it no longer holds the service level.</param>
/// <param name="IsEnabled">Whether it has a say.</param>
public sealed record SignalReading(string Name, double? Value, double Enter, double Exit, bool IsEnabled);
