namespace ResilientHost.Bulkheads;

/// <summary>
/// Follows the gradient, the ratio of the latency over a long time to that of now: <c>limit * gradient + 4</c>, a fifth of the way at a time. Published as <c>Gradient2Limit</c> of Netflix concurrency-limits;
/// the idea is that of L. Brakmo and L. Peterson, "TCP Vegas: end to end congestion avoidance on a global Internet" (1995).
/// </summary>
/// <remarks>
/// <para>Decides once in a window: at least 10 calls, and at least 100 ms or twice the latency (but not more than 1 s), so that what is seen comes from the limit decided before. The baseline learns from one
/// window a second after its first ten, whatever the pace of deciding: its 600 windows stay the ten minutes for which they were published. Learning from each window of 100 ms, it would
/// take its own queue for normal within a minute.</para>
/// <para>A failed call counts only when it took longer than the baseline: a timeout tells of latency, a fast error does not. While there is no baseline, it does not count.</para>
/// </remarks>
internal sealed class Gradient2Limit : LearnedLimit
{
    private const int QueueSize = 4;
    private const double Tolerance = 1.5;
    private const double Smoothing = 0.2;
    private const double LowestGradient = 0.5;
    private const double Drift = 2;
    private const double DriftDecay = 0.95;

    private readonly long _second;
    private LongTermLatency _baseline = new(window: 600, warmUp: 10);
    private LimitWindow _window;
    private long _windowEnds;
    private long _baselineLearnt;
    private double _estimate;

    public Gradient2Limit(int initial, long now, long ticksPerSecond)
        : base(AdaptiveLimit.Gradient2)
    {
        _second = ticksPerSecond;
        _baselineLearnt = now;
        _windowEnds = now + (ticksPerSecond / 10);
        _estimate = initial;
        Value = initial;
    }

    /// <summary>The latency that is taken for normal; 0 while nothing is known.</summary>
    public double Baseline => _baseline.Value;

    public override void Bound(int min, int max)
    {
        base.Bound(min, max);
        _estimate = Math.Clamp(_estimate, min, max);
    }

    public override bool AsksForUse(in EndedCall call) => !_window.IsBusy;

    public override bool Observe(in EndedCall call, bool halfInUse)
    {
        if (call.Outcome == CallOutcome.Failed && !(Baseline > 0 && call.Latency > Baseline))
        {
            return false;
        }

        if (halfInUse)
        {
            _window.MarkBusy();
        }

        _window.Add(call.Latency);
        return IsWindowOver(call.End);
    }

    public override bool Decide(in EndedCall call, bool halfInUse)
    {
        if (!IsWindowOver(call.End))
        {
            return false;
        }

        var (latency, isBusy) = _window.Close();
        var learns = !_baseline.IsWarm || call.End - _baselineLearnt >= _second;
        if (learns)
        {
            _baselineLearnt = call.End;
        }

        Volatile.Write(ref _windowEnds, call.End + (long)Math.Clamp(2 * latency, _second / 10.0, _second));
        return Update(latency, isBusy, learns);
    }

    /// <summary>Takes the mean latency of a window.</summary>
    /// <param name="latency">In any unit, above 0.</param>
    /// <param name="isBusy">At least half of the limit was in use.</param>
    /// <param name="learns">The baseline learns from it.</param>
    /// <returns>Whether the limit has changed.</returns>
    internal bool Update(double latency, bool isBusy, bool learns = true)
    {
        if (learns)
        {
            _baseline.Add(latency);
        }

        var normal = _baseline.Value;
        if (normal / latency > Drift)
        {
            // Back to normal after a long time of trouble: the average would take as long to forget it.
            _baseline.Scale(DriftDecay);
        }

        if (!isBusy)
        {
            return false;
        }

        var gradient = Math.Clamp(Tolerance * normal / latency, LowestGradient, 1);
        _estimate = Math.Clamp((_estimate * (1 - Smoothing)) + (((_estimate * gradient) + QueueSize) * Smoothing), Min, Max);
        var before = Value;
        Value = (int)_estimate;
        return Value != before;
    }

    private bool IsWindowOver(long now) => now >= Volatile.Read(ref _windowEnds) && _window.Count >= LimitWindow.MinSamples;
}
