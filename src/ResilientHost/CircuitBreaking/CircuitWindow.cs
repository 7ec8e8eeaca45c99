namespace ResilientHost.CircuitBreaking;

/// <summary>Counts the outcomes of a closed era and says when they pull a trigger. Counting only: it changes no state.</summary>
/// <remarks>Thread-safe without locks; what a window needs beyond its first calls (room for more buckets, for trouble, for each core) is made once, and then no method allocates.</remarks>
internal abstract class CircuitWindow
{
    /// <summary>Records a quick success. Written so that it touches no word that other threads write, where nothing can trip.</summary>
    /// <returns>The trigger pulled: a success may complete the minimum throughput, or be the first after old successes expired.</returns>
    public abstract CircuitTransitionCause? AddSuccess(CircuitPolicy policy, long now);

    /// <summary>Records a failure, a slow call, or both.</summary>
    /// <param name="policy">What to judge by.</param>
    /// <param name="failed">Whether the call failed.</param>
    /// <param name="slow">Whether it was slow.</param>
    /// <param name="now">When it ended.</param>
    /// <param name="caller">Hash of whom it was for; 0 for nobody in particular.</param>
    /// <returns>The trigger pulled.</returns>
    public abstract CircuitTransitionCause? AddTrouble(CircuitPolicy policy, bool failed, bool slow, long now, int caller = 0);

    /// <summary>What the window holds at <paramref name="now"/>.</summary>
    public abstract WindowCounts Read(CircuitPolicy policy, long now);

    /// <summary>Failures in a row.</summary>
    public abstract int Row { get; set; }

    /// <summary>Whose failures those are; <see langword="null"/> when that was of no interest.</summary>
    public abstract CallerTrail? FailingCallers { get; set; }

    /// <summary>Forgets who had trouble, but not the trouble.</summary>
    public abstract void ForgetCallers();

    /// <summary>Makes the next outcome look at the whole window, because the thresholds changed.</summary>
    public abstract void Reconsider();
}
