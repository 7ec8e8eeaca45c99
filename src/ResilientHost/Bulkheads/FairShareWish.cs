namespace ResilientHost.Bulkheads;

/// <summary>What one caller has and has lately wanted of a bulkhead. Time comes from outside, in seconds. Needs the lock of its <see cref="FairShare"/>.</summary>
/// <remarks>A caller has one for as long as it wants anything; then it serves the next.</remarks>
internal sealed class FairShareWish
{
    /// <summary>For so long at least, and for twice that at most, is a peak remembered; with this constant the mean is forgotten.</summary>
    public const double MemorySeconds = 1;

    // Beyond it the sums would lose the small ones, and no host holds as many calls.
    private const double MostWanted = 1 << 24;
    private const double HoldWeight = 0.125;
    private const double ShortestHold = 0.01;

    private double _mean;
    private double _missed;
    private double _peak;
    private double _earlierPeak;
    private double _peakSince;
    private double _hold = double.NaN;

    private FairShareCaller? _caller;

    /// <summary>Whose it is.</summary>
    public FairShareCaller Caller => _caller!;

    /// <summary>Its weight, by the policy that <see cref="WeighedBy"/> names.</summary>
    public double Weight { get; set; } = 1;

    public BulkheadPolicy? WeighedBy { get; set; }

    /// <summary>Calls of it that are inside or wait.</summary>
    public int Inside { get; private set; }

    /// <summary>The most it wanted at once in the last second or two.</summary>
    public double Peak => Math.Max(Math.Max(_peak, _earlierPeak), Inside);

    /// <summary>What it wanted on average; at most <see cref="Peak"/>.</summary>
    public double Mean => Math.Min(_mean, Peak);

    /// <summary>What it has been entered with in the sums of <see cref="FairShareDemand"/>.</summary>
    public FairShareDemand.Entry Counted { get; set; }

    /// <summary>A caller wants something again. It goes on from where it was when it rested.</summary>
    public void Begin(FairShareCaller caller)
    {
        _caller = caller;
        Weight = 1;
        (_mean, _missed, _hold) = caller.Remembered;
        (_peak, _earlierPeak, _peakSince) = (0, 0, caller.UpdatedAt);
        caller.Wish = this;
    }

    /// <summary>Its caller wants nothing any more: to be asked only when <see cref="Peak"/> is 0.</summary>
    public void End()
    {
        // The peaks have just become 0, which they do when time is counted anew: all else is what is remembered here.
        Caller.Remembered = ((float)_mean, (float)_missed, (float)_hold);
        Caller.Wish = null;
        _caller = null;

        // A spare wish must not keep a policy that was replaced.
        WeighedBy = null;
    }

    /// <summary>Lets time pass: what is not wanted any more is forgotten.</summary>
    public void Update(double now)
    {
        var elapsed = now - Caller.UpdatedAt;
        if (elapsed <= 0)
        {
            return;
        }

        Caller.UpdatedAt = now;
        _mean = Inside + ((_mean - Inside) * Math.Exp(-elapsed / MemorySeconds));
        _missed = _missed > 0 ? _missed * Math.Exp(-elapsed / Hold(MemorySeconds)) : 0;
        if (now - _peakSince >= MemorySeconds)
        {
            _earlierPeak = now - _peakSince >= 2 * MemorySeconds ? Inside : Math.Max(_peak, Inside);
            _peak = Inside;
            _peakSince = now;
        }
    }

    public void Enter()
    {
        Inside++;
        Want(Inside);
    }

    /// <summary>A call has left after holding its place for so long.</summary>
    public void Leave(double seconds)
    {
        Inside--;
        _hold = double.IsNaN(_hold) ? seconds : _hold + (HoldWeight * (seconds - _hold));
    }

    /// <summary>A call that held a place found no room further in.</summary>
    /// <param name="usualHold">How long calls of all callers hold a place.</param>
    public void LeaveRefused(double usualHold)
    {
        Inside--;
        Miss(usualHold);
    }

    /// <summary>A call was refused: it counts as if it were inside for as long as calls usually are (J. D. C. Little: what is inside is what arrives, times how long it stays).</summary>
    public void Miss(double usualHold)
    {
        Want(Inside + 1 + _missed);
        _missed = Math.Min(_missed + 1, MostWanted);
        _mean = Math.Min(_mean + (Hold(usualHold) / MemorySeconds), MostWanted);
    }

    private double Hold(double usual) => Math.Clamp(double.IsNaN(_hold) ? usual : _hold, ShortestHold, MemorySeconds);

    private void Want(double calls) => _peak = Math.Min(Math.Max(_peak, calls), MostWanted);
}
