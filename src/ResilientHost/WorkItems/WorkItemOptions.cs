using System.Text.Json.Serialization.Metadata;

namespace ResilientHost;

/// <summary>How the items of a channel are processed.</summary>
/// <typeparam name="T">The items.</typeparam>
/// <remarks>Read once, when processing begins. Not thread-safe.</remarks>
public sealed class WorkItemOptions<T>
{
    /// <summary>Name of the processing, of a closed set: spans, metrics and dead letters carry it.</summary>
    /// <value>Default <c>items</c>.</value>
    public string Name { get; set; } = "items";

    /// <summary>Items that may be processed at once.</summary>
    /// <value>From 1 to 10,000; default 1: in order, one after the other. An item whose handler does not end although its run was abandoned does not hold up those of the next run, unless <see cref="OrderBy"/> says that it should.</value>
    public int MaxConcurrency { get; set; } = 1;

    /// <summary>Attempts after the first. An item whose last one fails is poison and goes to the dead letters.</summary>
    /// <value>From 0 to 1,000; default 3.</value>
    public int MaxRetries { get; set; } = 3;

    /// <summary>The delay before the first retry.</summary>
    /// <value>From 0 to 1 day; default 200 ms.</value>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>What the delay is multiplied by at each further retry.</summary>
    /// <value>From 1 to 100; default 2.</value>
    public double RetryBackoff { get; set; } = 2.0;

    /// <summary>The longest delay, after the jitter.</summary>
    /// <value>At least <see cref="RetryDelay"/> and at most 1 day; default 30 s.</value>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How far a delay is off, evenly in both directions.</summary>
    /// <value>From 0 to 1; default 0.2.</value>
    public double RetryJitter { get; set; } = 0.2;

    /// <summary>Which exceptions are worth another attempt.</summary>
    /// <value>Default <see langword="null"/>: all. One that it throws itself counts as no.</value>
    public Func<Exception, bool>? ShouldRetry { get; set; }

    /// <summary>How long one attempt may take before its token is cancelled; it then counts as failed.</summary>
    /// <value>From 1 ms to 1 day; default <see langword="null"/>: as long as it takes.</value>
    public TimeSpan? AttemptTimeout { get; set; }

    /// <summary>Items of equal keys are processed in order, one after the other, retries included.</summary>
    /// <value>Default <see langword="null"/>: with <see cref="MaxConcurrency"/> above 1, items overtake each other. Keys are compared with <see cref="object.Equals(object)"/>, <see langword="null"/> equals <see langword="null"/>.</value>
    /// <remarks>Called once each time an item is taken, off the handler's thread; keep it short. An item whose key cannot be told, because this throws, goes to the dead letters untried.</remarks>
    public Func<T, object?>? OrderBy { get; set; }

    /// <summary>Where poison goes.</summary>
    /// <value>Default <see langword="null"/>: the registered <see cref="IDeadLetterSink"/>.</value>
    public IDeadLetterSink? DeadLetters { get; set; }

    /// <summary>How an item becomes the JSON of its dead letter.</summary>
    /// <value>Default <see langword="null"/>: reflection.</value>
    public JsonTypeInfo<T>? JsonTypeInfo { get; set; }
}
