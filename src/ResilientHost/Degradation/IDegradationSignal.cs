namespace ResilientHost;

/// <summary>A signal of the application's own that has a say in the service level: waiting for database connections, the length of a backlog.</summary>
/// <remarks>
/// Register it as a singleton service; it is found at start. <see cref="Read"/> is called every <see cref="DegradationOptions.SampleInterval"/> on a thread that belongs to this signal alone; it SHOULD return within that
/// time and SHOULD NOT allocate. While it throws, returns no finite number or does not return it has no say, which is logged once; its last value is forgotten, and it is asked again each time.
/// </remarks>
public interface IDegradationSignal
{
    /// <summary>Name in events, metrics and the status page.</summary>
    /// <value>Lower case letters, digits and underscores, at most 64; not one of the suite's own. MUST NOT change.</value>
    string Name { get; }

    /// <summary>From this smoothed value on (≥) the service level rises.</summary>
    /// <value>Finite, above <see cref="Exit"/>; read once at start.</value>
    double Enter { get; }

    /// <summary>Down to this smoothed value (≤) the signal no longer holds the service level.</summary>
    /// <value>Finite, below <see cref="Enter"/>; read once at start.</value>
    double Exit { get; }

    /// <summary>The value now.</summary>
    /// <returns>A finite number; <see cref="double.NaN"/> when there is nothing to say.</returns>
    double Read();
}
