using ResilientHost.Bulkheads;

namespace ResilientHost;

/// <content>
/// The queue. Everything about waiting is decided under the queue's lock, and the permits' word says whether anybody waits: a call that
/// leaves sees that in the same word which it would otherwise swap, so either it comes here, or the newcomer's announcement fails and
/// finds the room. No foreign code (timers, cancellation, telemetry, continuations) runs under the lock.
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
            _policy = policy;
            _ceiling = policy.Ceiling;
            AdmitWaiters(queue, policy, ref ended);
            var length = policy.CanQueue ? policy.QueueLength : 0;
            while (queue.Count > length)
            {
                ended.Add(queue.Displace(policy.QueueOrder));
                ForgetEmptyQueue(queue);
            }
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
        do
        {
            // Nobody overtakes: with waiters this fails. Without, room may have come since the first look, or come until the announcement.
            if (TryEnterSlowly(out lease))
            {
                return Joined.Admitted;
            }

            if (!policy.CanQueue)
            {
                return Joined.Refused;
            }
        }
        while (!_permits.TryAnnounceWaiter(queue.Count > 0 ? 0 : policy.Limit));

        if (queue.Count >= policy.QueueLength)
        {
            if (policy.QueueOrder == QueueOrder.OldestFirst)
            {
                return Joined.Refused;
            }

            ended.Add(queue.Displace(policy.QueueOrder));
        }

        queue.Add(waiter);
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

            ForgetEmptyQueue(queue);
        }

        EndedWaiters ended = default;
        ended.Add(waiter);
        Complete(ended);
    }

    private void ReturnToWaiters(PermitSlot slot)
    {
        EndedWaiters ended = default;
        var queue = Queue();
        lock (queue.Gate)
        {
            _permits.Return(slot);
            AdmitWaiters(queue, _policy, ref ended);
        }

        Complete(ended);
    }

    private void AdmitWaiters(BulkheadQueue queue, BulkheadPolicy policy, ref EndedWaiters ended)
    {
        var ceiling = policy.Mode == BulkheadMode.Enforce ? policy.Limit : BulkheadPolicy.NoLimit;
        while (queue.Count > 0)
        {
            BulkheadLease lease = default;
            if (policy.Mode != BulkheadMode.Disabled && _permits.Take(ceiling, pastWaiters: true, out lease) == PermitAnswer.Full)
            {
                return;
            }

            ended.Add(queue.Serve(policy.QueueOrder, lease));
            ForgetEmptyQueue(queue);
        }
    }

    private void ForgetEmptyQueue(BulkheadQueue queue)
    {
        if (queue.Count == 0)
        {
            _permits.NobodyWaits();
        }
    }

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
