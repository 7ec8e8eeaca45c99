using System.Runtime.InteropServices;

namespace ResilientHost.CircuitBreaking;

/// <summary>What the probes of a half-open era have come to.</summary>
internal enum ProbeVerdict
{
    /// <summary>More results are needed.</summary>
    Pending,

    /// <summary>Failing is out of reach.</summary>
    Succeeded,

    /// <summary>The share of failed or slow probes is reached.</summary>
    Failed,
}

/// <summary>The book of one half-open era: who is probing, and what came back.</summary>
/// <remarks>Methods need the breaker's lock; <see cref="IsFull"/> may be read without.</remarks>
/// <param name="oneAtATime">Whether a probe has to come back before the next may go: after a fault that any one of them would find.</param>
internal sealed class CircuitProbes(bool oneAtATime = false)
{
    // In order of admission, so that the first is the oldest.
    private readonly List<Probe> _inFlight = [];
    private int _lastNumber;
    private int _results;
    private int _failures;
    private int _slowCalls;
    private volatile bool _full;

    /// <summary>Whether results in plus probes in flight have reached the limit, or the one probe that may go is on its way.</summary>
    public bool IsFull => _full;

    public WindowCounts Counts => new(_results, _failures, _slowCalls);

    /// <summary>When the first probe still in flight was admitted.</summary>
    public long? OldestStart => _inFlight.Count == 0 ? null : _inFlight[0].Start;

    /// <summary>Takes a place.</summary>
    /// <returns>The probe's number, never 0 and unique in the era; or 0 when every place is taken.</returns>
    public int TryTake(CircuitPolicy policy, long now)
    {
        if (HasNoPlace(policy))
        {
            return 0;
        }

        // 0 marks permits of other calls; an era of ignored probes may last long enough to wrap.
        _lastNumber = _lastNumber == -1 ? 1 : unchecked(_lastNumber + 1);
        _inFlight.Add(new Probe(_lastNumber, now));
        Refresh(policy);
        return _lastNumber;
    }

    /// <summary>Ends a probe: gives an ignored one's place back, counts the others.</summary>
    /// <returns>False when that probe had ended already.</returns>
    public bool TryEnd(CircuitPolicy policy, int number, CallOutcome outcome, bool slow)
    {
        var index = _inFlight.FindIndex(probe => probe.Number == number);
        if (index < 0)
        {
            return false;
        }

        _inFlight.RemoveAt(index);
        if (outcome != CallOutcome.Ignored)
        {
            _results++;
            _failures += outcome == CallOutcome.Failed ? 1 : 0;
            _slowCalls += slow ? 1 : 0;
        }

        Refresh(policy);
        return true;
    }

    /// <summary>The verdict, as soon as it can no longer change. At least one result is needed to close.</summary>
    public ProbeVerdict Judge(CircuitPolicy policy)
    {
        if (_failures >= policy.ProbeFailureLimit || _slowCalls >= policy.ProbeSlowLimit)
        {
            return ProbeVerdict.Failed;
        }

        var outstanding = policy.HalfOpenProbes - _results;
        return _results > 0
            && _failures + outstanding < policy.ProbeFailureLimit
            && _slowCalls + outstanding < policy.ProbeSlowLimit
                ? ProbeVerdict.Succeeded
                : ProbeVerdict.Pending;
    }

    /// <summary>Brings <see cref="IsFull"/> up to date, also after the number of probes changed.</summary>
    public void Refresh(CircuitPolicy policy) => _full = HasNoPlace(policy);

    private bool HasNoPlace(CircuitPolicy policy) => _results + _inFlight.Count >= policy.HalfOpenProbes || (oneAtATime && _inFlight.Count > 0);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Probe(int Number, long Start);
}
