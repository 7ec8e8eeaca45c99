namespace ResilientHost.CircuitBreaking;

/// <summary>Counts the outcomes of a closed era and says when they pull a trigger. Counting only: it changes no state.</summary>
/// <remarks>Thread-safe without locks; no method allocates once the window has seen a failure.</remarks>
internal abstract class CircuitWindow
{
    /// <summary>Records a quick success. Written so that it touches no word that other threads write, where nothing can trip.</summary>
    /// <returns>The trigger pulled: a success may complete the minimum throughput, or be the first after old successes expired.</returns>
    public abstract CircuitTransitionCause? AddSuccess(CircuitPolicy policy, long now);

    /// <summary>Records a failure, a slow call, or both.</summary>
    /// <returns>The trigger pulled.</returns>
    public abstract CircuitTransitionCause? AddTrouble(CircuitPolicy policy, bool failed, bool slow, long now);

    /// <summary>What the window holds at <paramref name="now"/>.</summary>
    public abstract WindowCounts Read(CircuitPolicy policy, long now);

    /// <summary>Failures in a row.</summary>
    public abstract int Row { get; set; }

    /// <summary>Makes the next outcome look at the whole window, because the thresholds changed.</summary>
    public abstract void Reconsider();
}
