using System.Runtime.CompilerServices;
using ResilientHost.Bulkheads;

namespace ResilientHost;

/// <content>
/// The queue. Everything about waiting, about more slots or fewer, and about new options is decided under the queue's lock; that somebody
/// waits is announced to the calls that leave in the permits' flags. No foreign code (timers, cancellation, telemetry, continuations) runs
/// under the lock.
/// </content>
public sealed partial class Bulkhead
{
    /// <summary>
    /// Changes the options for all calls from now on. A higher limit admits waiters at once; a lower one takes nothing away, but nobody enters
    /// before the calls inside are fewer. A shorter queue refuses the excess: the newest waiters, or with <see cref="QueueOrder.NewestFirst"/>
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
            _permits.ChangeLimit(policy.Limit);
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

    private ValueTask<BulkheadAdmission> Cancelled(CancellationToken cancellation)
    {
        BulkheadWaiter waiter = new(this, since: 0, cancellation) { End = WaitEnd.Cancelled };
        waiter.Complete(default);
        return waiter.Task;
    }

    private BulkheadQueue Queue() => _queue ?? Interlocked.CompareExchange(ref _queue, new BulkheadQueue(), null) ?? _queue;

    private ValueTask<BulkheadAdmission> Wait(CancellationToken cancellation)
    {
        BulkheadWaiter waiter = new(this, _clock.Timestamp(), cancellation);
        EndedWaiters ended = default;
        var queue = Queue();
        BulkheadPolicy policy;
        Joined joined;
        BulkheadLease lease;
        lock (queue.Gate)
        {
            policy = _policy;
            joined = Join(queue, policy, waiter, ref ended, out lease);
        }

        Complete(ended);
        switch (joined)
        {
            case Joined.Admitted:
                return new(new BulkheadAdmission(IsAdmitted: true, lease, default));
            case Joined.Refused:
                return new(Refused(RefusalReason.BulkheadFull));
            default:
                Arm(queue, waiter, policy.QueueTimeout);
                return waiter.Task;
        }
    }

    private Joined Join(BulkheadQueue queue, BulkheadPolicy policy, BulkheadWaiter waiter, ref EndedWaiters ended, out BulkheadLease lease)
    {
        if (TryEnterLocked(queue, policy, policy.CanQueue ? PermitPool.Waiting : PermitPool.Full, out lease))
        {
            return Joined.Admitted;
        }

        if (!policy.CanQueue)
        {
            return Joined.Refused;
        }

        if (queue.Count >= policy.QueueLength)
        {
            if (policy.QueueOrder == QueueOrder.OldestFirst)
            {
                return Joined.Refused;
            }

            ended.Add(queue.Displace(policy.QueueOrder));
        }

        queue.Add(waiter);
        Publish(queue);
        return Joined.Queued;
    }

    private void Arm(BulkheadQueue queue, BulkheadWaiter waiter, TimeSpan timeout)
    {
        ITimer? timer = null;
        CancellationTokenRegistration registration = default;
        try
        {
            timer = _clock.Provider.CreateTimer(
                static state => ((BulkheadWaiter)state!).Owner.EndWait((BulkheadWaiter)state, WaitEnd.TimedOut), waiter, timeout, Timeout.InfiniteTimeSpan);
            registration = waiter.Cancellation.UnsafeRegister(
                static state => ((BulkheadWaiter)state!).Owner.EndWait((BulkheadWaiter)state, WaitEnd.Cancelled), waiter);
            lock (queue.Gate)
            {
                if (waiter.End == WaitEnd.None)
                {
                    waiter.Timer = timer;
                    waiter.Registration = registration;
                    return;
                }
            }
        }
        catch
        {
            // A foreign time provider, or a token whose source is disposed: the caller gets the exception, so nobody would end this wait.
            Abandon(queue, waiter);
            timer?.Dispose();
            throw;
        }

        timer.Dispose();
        registration.Unregister();
    }

    private void Abandon(BulkheadQueue queue, BulkheadWaiter waiter)
    {
        EndWait(waiter, WaitEnd.Cancelled);
        BulkheadLease lease;
        lock (queue.Gate)
        {
            lease = waiter.Lease;
        }

        Exit(lease, CallOutcome.Ignored);
    }

    private void EndWait(BulkheadWaiter waiter, WaitEnd end)
    {
        var queue = Queue();
        lock (queue.Gate)
        {
            if (!queue.TryEnd(waiter, end))
            {
                return;
            }

            Publish(queue);
        }

        EndedWaiters ended = default;
        ended.Add(waiter);
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
        Interlocked.Increment(ref _shadowRefused);
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

    [MethodImpl(MethodImplOptions.NoInlining)]
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

    private void Publish(BulkheadQueue queue) => _permits.Publish(queue.Count > 0, _policy.Mode == BulkheadMode.Disabled);

    private void Complete(EndedWaiters ended)
    {
        var waiter = ended.First;
        while (waiter is not null)
        {
            var next = waiter.Newer;
            _telemetry?.Waited(this, _clock.Elapsed(waiter.Since, _clock.Timestamp()), waiter.End);
            waiter.Complete(waiter.End switch
            {
                WaitEnd.Admitted => new BulkheadAdmission(IsAdmitted: true, waiter.Lease, default),
                WaitEnd.Displaced => Refused(RefusalReason.BulkheadFull),
                WaitEnd.TimedOut => Refused(RefusalReason.QueueTimeout),
                _ => default,
            });
            waiter = next;
        }
    }

    private enum Joined
    {
        Queued,
        Admitted,
        Refused,
    }
}
