namespace ResilientHost;

/// <summary>How much of its service this process gives at present, for code that wants to do less when that is less.</summary>
/// <remarks>A singleton of the service container; thread-safe. Reading costs a memory read.</remarks>
public interface IServiceLevel
{
    /// <summary>Raised once for every change of <see cref="Current"/>, in order.</summary>
    /// <remarks>
    /// Handlers run on the thread pool, one change at a time for each handler. One that blocks or throws affects neither requests nor other handlers; up to 1,024 changes wait for it, further ones are dropped.
    /// </remarks>
    event Action<ServiceLevelChange>? Changed;

    /// <summary>The level in force: the override's while there is one, else what the signals ask for.</summary>
    ServiceLevel Current { get; }

    /// <summary>What the level does to requests: turns them down, or only counts those that it would turn down. A level that is held by hand always does.</summary>
    DegradationMode Mode { get; }

    /// <summary>The level with all that it was decided by.</summary>
    /// <returns>Values that belong together.</returns>
    ServiceLevelSnapshot Snapshot();

    /// <summary>Holds the level by hand, whatever the signals say. Replaces an earlier override.</summary>
    /// <param name="level">The level.</param>
    /// <param name="expiresIn">For how long, above zero; <see langword="null"/>: until <see cref="ClearOverride"/>.</param>
    /// <param name="by">Who, for the log and the event; at most 128 characters are kept.</param>
    /// <remarks>The signals are watched all the while; when the override ends, the level is at once what they ask for by then.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="level"/> is not one of the enumeration's values, or <paramref name="expiresIn"/> is zero or negative.</exception>
    void Override(ServiceLevel level, TimeSpan? expiresIn = null, string? by = null);

    /// <summary>Gives the level back to the signals. Does nothing without an override.</summary>
    /// <param name="by">Who, for the log and the event; at most 128 characters are kept.</param>
    void ClearOverride(string? by = null);

    /// <summary>Waits until the level is no worse than <paramref name="highest"/>: for work that pauses while there is more important work.</summary>
    /// <param name="highest">The worst level at which the work goes on.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Complete at once when the level already allows it.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="highest"/> is not one of the enumeration's values.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    ValueTask WaitUntilAtMostAsync(ServiceLevel highest, CancellationToken cancellationToken = default);
}
