using System.Diagnostics;

namespace ResilientHost.Testing;

/// <summary>Records the finished activities (spans) of one source, with their tags and events.</summary>
/// <remarks>
/// Thread-safe. While it lives, every activity of the source is created and fully recorded. Keeps the newest up to its capacity.
/// Activity sources are static: activities of other hosts in the process are recorded too.
/// </remarks>
public sealed class ActivityRecorder : IDisposable
{
    private readonly RecordBuffer<Activity> _buffer;
    private readonly ActivityListener _listener;

    /// <summary>Starts to record.</summary>
    /// <param name="sourceName">Name of the source, compared ordinally.</param>
    /// <param name="capacity">Activities kept; at least 1, 10,000 by default. The oldest give way.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is less than 1.</exception>
    public ActivityRecorder(string sourceName, int capacity = 10_000)
    {
        ArgumentNullException.ThrowIfNull(sourceName);
        _buffer = new RecordBuffer<Activity>(capacity);
        _listener = new ActivityListener
        {
            ShouldListenTo = source => string.Equals(source.Name, sourceName, StringComparison.Ordinal),
            Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            SampleUsingParentId = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _buffer.Add,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>The finished activities still kept, in the order they ended; a copy.</summary>
    public IReadOnlyList<Activity> Finished => _buffer.ToList();

    /// <summary>The events of all finished activities, in the order the activities ended.</summary>
    public IReadOnlyList<ActivityEvent> Events => [.. _buffer.ToList().SelectMany(static activity => activity.Events)];

    /// <summary>Number of activities that fell out because the capacity was reached.</summary>
    public long Dropped => _buffer.Dropped;

    /// <summary>Waits for a finished activity that meets a condition, one recorded earlier included.</summary>
    /// <param name="predicate">The condition; must not throw.</param>
    /// <param name="timeout">How long to wait, in real time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The first activity that meets it.</returns>
    /// <exception cref="TimeoutException">None came in time.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task<Activity> WaitForAsync(Func<Activity, bool> predicate, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _buffer.WaitForAsync(predicate, timeout, cancellationToken);

    /// <summary>Waits until all that is recorded meets a condition.</summary>
    /// <param name="predicate">The condition; must not throw.</param>
    /// <param name="timeout">How long to wait, in real time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>A task that ends when the condition is met.</returns>
    /// <exception cref="TimeoutException">It was not met in time.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task WaitUntilAsync(Func<IReadOnlyList<Activity>, bool> predicate, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _buffer.WaitUntilAsync(predicate, timeout, cancellationToken);

    /// <summary>Forgets what was recorded.</summary>
    public void Clear() => _buffer.Clear();

    /// <summary>Stops recording; what was recorded stays readable.</summary>
    public void Dispose() => _listener.Dispose();
}
