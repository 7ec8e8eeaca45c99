using System.Runtime.CompilerServices;
using ResilientHost.Bulkheads;

namespace ResilientHost;

/// <content>The limit that is found at run time: calls are dated when they enter, and tell how they went when they leave.</content>
public sealed partial class Bulkhead
{
    /// <summary>Enters without the lock, where calls are timed.</summary>
    /// <returns>Whether that has decided it.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryEnterTimed(out BulkheadLease lease, out bool entered)
    {
        if (!_permits.TryTakeTimed(out lease))
        {
            entered = false;
            return false;
        }

        Stamp(lease);
        entered = !_permits.IsContended || Keep(ref lease);
        return true;
    }

    /// <summary>Notes when the call began, where somebody wants to know. Waiting is over by then: a queue is not latency.</summary>
    private void Stamp(in BulkheadLease lease)
    {
        if (_learned is not null && lease.Slot is { } slot)
        {
            slot.Start = _clock.Timestamp();
        }
    }

    // First whoever waits, then the lesson: should the clock throw, nobody has been forgotten.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Left(PermitSlot slot, int watching, long start, CallOutcome outcome)
    {
        if (PermitPool.IsToBeSettled(watching))
        {
            Settle(slot);
        }

        if (start != PermitSlot.Untimed && outcome != CallOutcome.Ignored && _learned is { } learned)
        {
            Learn(learned, start, outcome);
        }
    }

    private void Learn(LearnedLimit learned, long start, CallOutcome outcome)
    {
        EndedCall call = new(start, Math.Max(start, _clock.Timestamp()), outcome);

        // The call that leaves is one of those in use, but no longer counted.
        var half = learned.AsksForUse(call) && _permits.HoldsAtLeast(((learned.Value + 1) / 2) - 1);
        if (!learned.Observe(call, half))
        {
            return;
        }

        EndedWaiters ended = default;
        var queue = Queue();
        lock (queue.Gate)
        {
            if (!ReferenceEquals(learned, _learned) || !learned.Decide(call, half))
            {
                return;
            }

            _permits.ChangeLimit(learned.Value);
            AdmitWaiters(queue, _policy, ref ended);
            Publish(queue);
        }

        Complete(ended);
    }

    /// <summary>Continues with what was learned as far as the policy lets it, or begins anew. Needs the lock.</summary>
    /// <returns>The limit to begin with.</returns>
    private int Relearn(BulkheadPolicy policy)
    {
        var learned = LearnedLimit.For(policy, _learned, _clock);
        if (learned is not null && _learned is null)
        {
            _permits.ForgetStarts();
        }

        _learned = learned;
        return learned?.Value ?? policy.Limit;
    }
}
