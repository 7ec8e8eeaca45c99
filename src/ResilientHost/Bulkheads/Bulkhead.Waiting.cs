using ResilientHost.Bulkheads;

namespace ResilientHost;

/// <content>
/// The queue: who joins it and how a wait ends. No foreign code (timers, cancellation, telemetry, continuations) runs under its lock.
/// </content>
public sealed partial class Bulkhead
{
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
                Stamp(lease);
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

    private void Complete(EndedWaiters ended)
    {
        var waiter = ended.First;
        while (waiter is not null)
        {
            var next = waiter.Newer;
            _telemetry?.Waited(this, _clock.Elapsed(waiter.Since, _clock.Timestamp()), waiter.End);
            Stamp(waiter.Lease);
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
