using System.Runtime.ExceptionServices;
using ResilientHost.Workers;

namespace ResilientHost;

/// <content>Iterations: one pass of a worker's loop, isolated from the next.</content>
public sealed partial class WorkerContext
{
    /// <summary>Runs one pass of the worker's loop, isolated: what it throws is logged and counted, and the run goes on.</summary>
    /// <remarks>
    /// <para>Before it begins, the pass waits for what asks the worker to pause (service level, open circuit), for a place in its bulkhead, and, if the last passes of that name failed, for a
    /// delay that grows as that of restarts does (<see cref="WorkerOptions.RestartDelay"/>), so that a loop cannot spin. No silence is held against the worker meanwhile.</para>
    /// <para>The pass has a span of its own, the root of a new trace, and a measurement of its duration. Its beginning and its end are heartbeats.</para>
    /// <para>When the run is to stop, a pass under way ends with <see cref="CallOutcome.Ignored"/>, and none begins any more: the call throws. So a loop ends whether it looks at its token or not.</para>
    /// <para>While the kill switch of workers is off, the pass is observed but not protected: nothing is waited for, and what it throws is thrown.</para>
    /// </remarks>
    /// <param name="name">What telemetry calls the pass; of a closed set.</param>
    /// <param name="iteration">The pass. Its token is cancelled when the run is to stop, or <paramref name="stoppingToken"/> is.</param>
    /// <param name="stoppingToken">The token of the run, or one that is cancelled earlier.</param>
    /// <returns>
    /// How it ended: <see cref="CallOutcome.Failed"/> if it threw; <see cref="CallOutcome.Ignored"/> if it was interrupted by the stop, or if a resilience layer that it called refused.
    /// </returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or white space.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="iteration"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The run is to stop, or the token was cancelled, before the pass had begun.</exception>
    public ValueTask<CallOutcome> RunIterationAsync(string name, Func<CancellationToken, Task> iteration, CancellationToken stoppingToken = default)
    {
        ArgumentNullException.ThrowIfNull(iteration);
        return RunIterationAsync(name, static (iteration, token) => iteration(token), iteration, stoppingToken);
    }

    /// <inheritdoc cref="RunIterationAsync(string, Func{CancellationToken, Task}, CancellationToken)"/>
    /// <typeparam name="TState">What the pass needs.</typeparam>
    /// <param name="name">What telemetry calls the pass; of a closed set.</param>
    /// <param name="iteration">The pass, which can be a static lambda and so needs no closure.</param>
    /// <param name="state">Handed to the pass.</param>
    /// <param name="stoppingToken">The token of the run, or one that is cancelled earlier.</param>
    public ValueTask<CallOutcome> RunIterationAsync<TState>(string name, Func<TState, CancellationToken, Task> iteration, TState state, CancellationToken stoppingToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(iteration);
        return IterateAsync(name, iteration, state, stoppingToken);
    }

    private async ValueTask<CallOutcome> IterateAsync<TState>(string name, Func<TState, CancellationToken, Task> iteration, TState state, CancellationToken stoppingToken)
    {
        using var stop = WorkerStop.Link(_run, stoppingToken);
        var token = stop.Token;
        token.ThrowIfCancellationRequested();
        if (_shared.Settings().Enabled && _delays.Remaining(name) is { Ticks: > 0 } delay)
        {
            await Gate.IdleAsync(delay, token);
        }

        var pass = await Gate.EnterAsync(token);
        var isolates = _shared.Settings().Enabled;
        var activity = WorkerSpan.Start(ResilienceDiagnostics.Spans.WorkerIteration, this, ResilienceDiagnostics.Tags.Iteration, name);
        var started = _shared.Clock.Timestamp();
        var work = BeginWork(name);
        Exception? exception = null;
        CallOutcome outcome;
        try
        {
            await iteration(state, token);
            outcome = CallOutcome.Succeeded;
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            outcome = CallOutcome.Ignored;
        }
        catch (Exception thrown)
        {
            exception = thrown;
            // Whatever the interruption looks like, it is no failure: a client of a database has its own words for it.
            outcome = token.IsCancellationRequested ? CallOutcome.Ignored : WorkOutcomes.Of(thrown);
        }

        EndWork(work);
        pass.Exit(outcome);
        _shared.Metrics.Record(Name, name, outcome, _shared.Clock.Elapsed(started, _shared.Clock.Timestamp()));
        if (exception is not null && !isolates)
        {
            WorkerSpan.End(activity, outcome, exception);
            ExceptionDispatchInfo.Throw(exception);
        }

        Keep(name, outcome, exception);
        WorkerSpan.End(activity, outcome, exception);
        return outcome;
    }

    private void Keep(string name, CallOutcome outcome, Exception? exception)
    {
        if (exception is null)
        {
            if (outcome == CallOutcome.Succeeded)
            {
                _delays.Succeeded(name);
            }

            return;
        }

        // A refusal further in says nothing of this worker, but asking again at once would not help it either.
        _delays.Failed(name, Worker.Policy);
        if (outcome == CallOutcome.Failed)
        {
            Worker.KeepFailure(exception);
            _shared.Log.Failed(Name, Run, name, exception);
        }
        else if (Stopping.IsCancellationRequested)
        {
            _shared.Events.LateFailure(Name, Run, exception);
        }
    }
}
