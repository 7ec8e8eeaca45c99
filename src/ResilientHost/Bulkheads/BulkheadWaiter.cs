using System.Threading.Tasks.Sources;

namespace ResilientHost.Bulkheads;

/// <summary>How a wait in the queue ended.</summary>
internal enum WaitEnd
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>A permit was handed over.</summary>
    Admitted,

    /// <summary>The queue was full or became shorter, and others had the better right to it.</summary>
    Displaced,

    /// <summary>The wait took as long as it may.</summary>
    TimedOut,

    /// <summary>The caller gave up.</summary>
    Cancelled,
}

/// <summary>
/// A call that waits. Who ends the wait is decided once, under the queue's lock (<see cref="End"/>); the winner then completes the
/// waiter outside it. Never pooled: a late timer or cancellation callback can only ever meet the wait it was made for.
/// </summary>
internal sealed class BulkheadWaiter : IValueTaskSource<BulkheadAdmission>
{
    // Continuations belong to the pool: the call that leaves must not run the next one's work on its stack.
    private ManualResetValueTaskSourceCore<BulkheadAdmission> _source = new() { RunContinuationsAsynchronously = true };

    public BulkheadWaiter(Bulkhead owner, long since, CancellationToken cancellation)
    {
        Owner = owner;
        Since = since;
        Cancellation = cancellation;
    }

    public Bulkhead Owner { get; }

    /// <summary>Timestamp at which the wait began.</summary>
    public long Since { get; }

    public CancellationToken Cancellation { get; }

    public ValueTask<BulkheadAdmission> Task => new(this, _source.Version);

    /// <summary>Written under the queue's lock, once.</summary>
    public WaitEnd End { get; set; }

    /// <summary>The permit, when admitted. Written under the queue's lock together with <see cref="End"/>.</summary>
    public BulkheadLease Lease { get; set; }

    /// <summary>Set under the queue's lock while nothing has ended the wait; whoever ends it disposes it.</summary>
    public ITimer? Timer { get; set; }

    /// <summary>As <see cref="Timer"/>.</summary>
    public CancellationTokenRegistration Registration { get; set; }

    public BulkheadWaiter? Older { get; set; }

    /// <summary>The next newer waiter in the queue; after the end of the wait, the next one to complete.</summary>
    public BulkheadWaiter? Newer { get; set; }

    public void Complete(in BulkheadAdmission admission)
    {
        Timer?.Dispose();

        // Unregister, unlike Dispose, does not wait for a callback that is running and may itself wait for the queue.
        Registration.Unregister();
        if (End == WaitEnd.Cancelled)
        {
            _source.SetException(new OperationCanceledException(Cancellation));
        }
        else
        {
            _source.SetResult(admission);
        }
    }

    BulkheadAdmission IValueTaskSource<BulkheadAdmission>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<BulkheadAdmission>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<BulkheadAdmission>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
