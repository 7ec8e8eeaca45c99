using System.Runtime.CompilerServices;
using ResilientHost.Bulkheads;

namespace ResilientHost;

/// <content>
/// What is decided under the queue's lock: who gets a permit when there are waiters, more slots or fewer, or new options. That there is
/// something to decide is announced in the permits' flags to the calls that come and leave.
/// </content>
public sealed partial class Bulkhead
{
    /// <summary>
    /// Changes the options for all calls from now on. A higher limit admits waiters at once; a lower one takes nothing away, but nobody enters
    /// before the calls inside are fewer. An adaptive limit keeps what it has learned, within the new bounds, unless
    /// <see cref="BulkheadOptions.Adaptive"/> changes. A shorter queue refuses the excess: the newest waiters, or with <see cref="QueueOrder.NewestFirst"/>
    /// the oldest. Leaving <see cref="BulkheadMode.Enforce"/> admits every waiter.
    /// </summary>
    /// <param name="options">The new options; copied.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The options are invalid; carries every error, and nothing has changed.</exception>
    public void Apply(BulkheadOptions options) => Apply(BulkheadPolicy.From(Name, options));

    internal void Apply(BulkheadPolicy policy)
    {
        EndedWaiters ended = default;
        var queue = Queue();
        lock (queue.Gate)
        {
            _permits.ChangeLimit(Relearn(policy));
            _policy = policy;
            AdmitWaiters(queue, policy, ref ended);
            var length = policy.CanQueue ? policy.QueueLength : 0;
            while (queue.Count > length)
            {
                ended.Add(queue.Displace(policy.QueueOrder));
            }

            Publish(queue);
        }

        Complete(ended);
    }

    private bool TryEnterLocked(BulkheadQueue queue, BulkheadPolicy policy, int verdict, out BulkheadLease lease)
    {
        lease = default;
        if (policy.Mode == BulkheadMode.Disabled)
        {
            return true;
        }

        // Nobody overtakes.
        if (queue.Count == 0 && _permits.TryTakeWithinLimit(verdict, out lease))
        {
            return true;
        }

        if (policy.Mode != BulkheadMode.Shadow)
        {
            return false;
        }

        lease = _permits.TakeAnother();
        Interlocked.Increment(ref queue.ShadowRefused);
        return true;
    }

    /// <summary>
    /// Decides on a permit that was taken while the first waiter announced itself, or the limit was being lowered, between the look at the
    /// flags and the taking: then it belongs to others.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Keep(ref BulkheadLease lease)
    {
        EndedWaiters ended = default;
        var queue = Queue();
        lock (queue.Gate)
        {
            if (_policy.Mode != BulkheadMode.Enforce || (queue.Count == 0 && !_permits.IsExceeded))
            {
                return true;
            }

            lease.Slot!.TryEnd(lease.Generation);
            SettleLocked(queue, lease.Slot, ref ended);
        }

        Complete(ended);
        lease = default;
        return false;
    }

    private void Settle(PermitSlot freed)
    {
        EndedWaiters ended = default;
        var queue = Queue();
        lock (queue.Gate)
        {
            SettleLocked(queue, freed, ref ended);
        }

        Complete(ended);
    }

    private void SettleLocked(BulkheadQueue queue, PermitSlot freed, ref EndedWaiters ended)
    {
        // Whoever frees a slot while somebody waits brings it here, so no other need be looked for.
        if (_permits.TryTakeFreed(freed, queue.Count > 0, out var lease))
        {
            ended.Add(queue.Serve(_policy.QueueOrder, lease));
        }

        Publish(queue);
    }

    private void AdmitWaiters(BulkheadQueue queue, BulkheadPolicy policy, ref EndedWaiters ended)
    {
        while (queue.Count > 0)
        {
            BulkheadLease lease = default;
            if (policy.Mode != BulkheadMode.Disabled && !_permits.TryTakeWithinLimit(PermitPool.Waiting, out lease))
            {
                if (policy.Mode == BulkheadMode.Enforce)
                {
                    return;
                }

                lease = _permits.TakeAnother();
            }

            ended.Add(queue.Serve(policy.QueueOrder, lease));
        }
    }

    private void Publish(BulkheadQueue queue) => _permits.Publish(queue.Count > 0, _policy.Mode == BulkheadMode.Disabled, _learned is not null);
}
