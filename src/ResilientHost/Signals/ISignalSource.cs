namespace ResilientHost.Signals;

/// <summary>One thing about the process or its surroundings that can be read at any time.</summary>
/// <remarks>Read by one thread, the sampler's. Reading allocates nothing, never blocks and never throws.</remarks>
internal interface ISignalSource
{
    /// <summary>One of <see cref="ResilienceDiagnostics.SignalNames"/>, or the name of an application's own signal.</summary>
    string Name { get; }

    /// <summary>The value at a moment; <see cref="double.NaN"/> when there is none (yet).</summary>
    /// <param name="now">Timestamp of the monotonic clock; never decreases from call to call.</param>
    double Read(long now);

    /// <summary>The signal holds the service level up: sees to it that what it says next is not stale. Most signals cannot be.</summary>
    /// <param name="now">As for <see cref="Read"/>.</param>
    void Confirm(long now)
    {
    }
}
