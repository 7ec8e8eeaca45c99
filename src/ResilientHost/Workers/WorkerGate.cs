namespace ResilientHost.Workers;

/// <summary>Where a run's iterations and items wait before they begin: for the service level, for the worker's circuit, for a place in its bulkhead.</summary>
/// <remarks>
/// <para>
/// Thread-safe; one per run. The order is level, circuit, bulkhead; what was free is looked at again after every wait, and the circuit's permit is taken last, so that nothing is held
/// while something else is waited for, and no probe is taken by a pass that then waits. A wait is not an attempt: nothing is counted, and nothing is expected to be heard.
/// </para>
/// <para>While the kill switch is off everything is let through at once, unprotected.</para>
/// </remarks>
internal sealed class WorkerGate(WorkerRun run, WorkerServices services)
{
    /// <summary>How long a wait lasts at most before everything is looked at again: a reload of options announces itself to nobody here.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    // No queue, or a full one: asks again as often.
    private static readonly TimeSpan BulkheadWait = TimeSpan.FromMilliseconds(100);

    private readonly WorkerPause _pause = new(run, services.Events);

    /// <summary>Lets one pass in, as soon as nothing speaks against it. Completes at once, without an allocation, when nothing does.</summary>
    /// <param name="cancellationToken">Ends the wait, as the run's own stopping does.</param>
    /// <returns>What the pass holds, to be ended once with <see cref="WorkerPass.Exit"/>.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the run is to stop. Nothing is held.</exception>
    public ValueTask<WorkerPass> EnterAsync(CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested && !run.Stopping.IsCancellationRequested && TryEnter(out var pass, out _)
            ? new(pass)
            : EnterSlowlyAsync(takes: true, cancellationToken);

    /// <summary>Waits as <see cref="EnterAsync"/> does for level and circuit, and takes nothing.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the run is to stop.</exception>
    public async ValueTask WaitAsync(CancellationToken cancellationToken) => await EnterSlowlyAsync(takes: false, cancellationToken);

    /// <summary>Waits for a while of which nobody expects to hear.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the run is to stop.</exception>
    public async Task IdleAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        using var stopping = WorkerStop.Link(run, cancellationToken);
        run.Worker.Pulse.BeginIdle(run.Number);
        try
        {
            // Timers cut off what is less than a millisecond: waited for in vain, it would be a busy loop.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(duration.TotalMilliseconds)), services.Clock.Provider, stopping.Token);
        }
        finally
        {
            run.Worker.Pulse.EndIdle(run.Number);
        }
    }

    private bool TryEnter(out WorkerPass pass, out WorkerObstacle obstacle)
    {
        pass = default;
        obstacle = Look();
        if (!obstacle.IsNone)
        {
            return false;
        }

        if (!services.Settings().Enabled)
        {
            return true;
        }

        var policy = run.Worker.Policy;
        var bulkhead = BulkheadOf(policy);
        BulkheadLease lease = default;
        if (bulkhead is not null && !bulkhead.TryEnterUncounted(out lease))
        {
            obstacle = new WorkerObstacle(bulkhead);
            return false;
        }

        return TryTake(policy, bulkhead, lease, out pass, out obstacle);
    }

    private bool TryTake(WorkerPolicy policy, Bulkhead? bulkhead, BulkheadLease lease, out WorkerPass pass, out WorkerObstacle obstacle)
    {
        var breaker = BreakerOf(policy);
        CircuitPermit permit = default;
        if (breaker is not null && !breaker.TryEnter(services.Clock.Timestamp(), out permit, out var refusal))
        {
            bulkhead?.Exit(lease, CallOutcome.Ignored);
            pass = default;
            obstacle = new WorkerObstacle(breaker, refusal.RetryAfter);
            return false;
        }

        pass = new WorkerPass(breaker, permit, bulkhead, lease);
        obstacle = default;
        return true;
    }

    /// <summary>What makes the worker pause at this moment.</summary>
    private WorkerObstacle Look()
    {
        if (!services.Settings().Enabled)
        {
            return default;
        }

        var policy = run.Worker.Policy;
        if (WorkerPause.IsAsked(services.Level, policy.RunsUpTo))
        {
            return new WorkerObstacle(services.Level!);
        }

        return BreakerOf(policy) is { } breaker && breaker.IsRefusing(services.Clock.Timestamp(), out var refusal) ? new WorkerObstacle(breaker, refusal.RetryAfter) : default;
    }

    private async ValueTask<WorkerPass> EnterSlowlyAsync(bool takes, CancellationToken cancellationToken)
    {
        using var stopping = WorkerStop.Link(run, cancellationToken);
        var pulse = run.Worker.Pulse;
        pulse.BeginIdle(run.Number);
        try
        {
            while (true)
            {
                stopping.Token.ThrowIfCancellationRequested();
                WorkerPass pass = default;
                WorkerObstacle obstacle;
                if (takes ? TryEnter(out pass, out obstacle) : (obstacle = Look()).IsNone)
                {
                    return pass;
                }

                if (obstacle.Bulkhead is not { } bulkhead)
                {
                    await PauseAsync(obstacle, stopping.Token);
                }
                else if (await WaitForPlaceAsync(bulkhead, stopping.Token) is { } found)
                {
                    return found;
                }
            }
        }
        finally
        {
            pulse.EndIdle(run.Number);
        }
    }

    private async ValueTask PauseAsync(WorkerObstacle obstacle, CancellationToken cancellationToken)
    {
        var cause = obstacle.Cause!.Value;
        _pause.Begin();
        try
        {
            do
            {
                _pause.Show(cause, obstacle.Describe());
                await obstacle.WaitAsync(services.Clock.Provider, LongestWait, () => Look().Cause == cause, cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
                obstacle = Look();
            }
            while (obstacle.Cause == cause);
        }
        finally
        {
            _pause.End(cause);
        }
    }

    private async ValueTask<WorkerPass?> WaitForPlaceAsync(Bulkhead bulkhead, CancellationToken cancellationToken)
    {
        if (!bulkhead.CanQueue)
        {
            await Task.Delay(BulkheadWait, services.Clock.Provider, cancellationToken);
            return null;
        }

        var admission = await bulkhead.EnterAsync(cancellationToken);
        if (!admission.IsAdmitted)
        {
            if (admission.Refusal.Reason == RefusalReason.BulkheadFull)
            {
                await Task.Delay(BulkheadWait, services.Clock.Provider, cancellationToken);
            }

            return null;
        }

        // The world may have changed in the queue: a place is not kept through a pause.
        if (!cancellationToken.IsCancellationRequested && Look().IsNone && TryTake(run.Worker.Policy, bulkhead, admission.Lease, out var pass, out _))
        {
            return pass;
        }

        bulkhead.Exit(admission.Lease, CallOutcome.Ignored);
        return null;
    }

    private CircuitBreaker? BreakerOf(WorkerPolicy policy) => policy.CircuitBreaker is { } name && services.Breakers.TryGet(name, out var breaker) ? breaker : null;

    private Bulkhead? BulkheadOf(WorkerPolicy policy) => policy.Bulkhead is { } name && services.Bulkheads.TryGet(name, out var bulkhead) ? bulkhead : null;
}
