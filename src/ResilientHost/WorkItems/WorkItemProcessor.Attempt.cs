using System.Diagnostics;
using ResilientHost.Telemetry;
using ResilientHost.Workers;

namespace ResilientHost.WorkItems;

/// <content>One attempt at one item.</content>
internal sealed partial class WorkItemProcessor<T>
{
    // The run's gate lets nothing in once the run is to stop; what is still drained then goes through one of its own.
    private readonly Lazy<WorkerGate> _drainGate;

    /// <summary>Tries an item once; tells the loop how that ended, whatever happens.</summary>
    public async Task AttemptAsync(HeldItem<T> item)
    {
        item.End = AttemptEnd.Interrupted;
        try
        {
            var gate = _stopping.IsCancellationRequested ? _drainGate.Value : _context.Gate;
            WorkerPass pass;
            try
            {
                pass = await gate.EnterAsync(_aborted);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested || _aborted.IsCancellationRequested)
            {
                return;
            }

            await AttemptAsync(item, pass);
        }
        catch (Exception exception)
        {
            // Nothing of the handler's gets here. The item goes back, and the worker fails.
            _bug = exception;
        }
        finally
        {
            Post(MessageKind.AttemptEnded, item);
            if (Volatile.Read(ref _hasEnded))
            {
                EndLate();
            }
        }
    }

    private async Task AttemptAsync(HeldItem<T> item, WorkerPass pass)
    {
        var activity = WorkerSpan.Start(ResilienceDiagnostics.Spans.WorkItem, _context, ResilienceDiagnostics.Tags.WorkItems, Name);
        activity?.SetTag(ResilienceDiagnostics.Tags.Attempt, item.Attempts + 1);
        var traceId = activity?.TraceId.ToHexString();
        var started = _clock.Timestamp();
        var work = _context.BeginWork(Name);
        var exception = await HandleAsync(item.Work.Value);
        _context.EndWork(work);
        var outcome = OutcomeOf(exception);
        pass.Exit(outcome);
        if (_services.Metrics.IsEnabled)
        {
            _services.Metrics.Attempted(Worker, Name, outcome, _clock.Elapsed(started, _clock.Timestamp()));
        }

        Judge(item, exception, outcome, traceId);
        WorkerSpan.End(activity, outcome, exception);
    }

    private async Task<Exception?> HandleAsync(T value)
    {
        using var timeout = _policy.AttemptTimeout is { } limit ? new CancellationTokenSource(limit, _clock.Provider) : null;
        using var both = timeout is null ? null : CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _aborted);
        Exception? exception = null;
        try
        {
            await _handler(value, both?.Token ?? _aborted);
        }
        catch (Exception thrown)
        {
            exception = thrown;
        }

        // Also when it returned: what ends because its token was cancelled has not done its work. One that is to stop is judged by what it says, for then most do end well.
        return timeout is { IsCancellationRequested: true } && !_aborted.IsCancellationRequested
            ? new TimeoutException($"An attempt at an item of '{Name}' took longer than {_policy.AttemptTimeout!.Value}.", exception)
            : exception;
    }

    private CallOutcome OutcomeOf(Exception? exception) =>
        exception is null ? CallOutcome.Succeeded
        : _aborted.IsCancellationRequested ? CallOutcome.Ignored
        : WorkOutcomes.Of(exception);

    private void Judge(HeldItem<T> item, Exception? exception, CallOutcome outcome, string? traceId)
    {
        if (exception is null)
        {
            item.End = AttemptEnd.Processed;
            return;
        }

        if (outcome == CallOutcome.Ignored && _aborted.IsCancellationRequested)
        {
            // What it threw is an answer to the stop, and says nothing of the item.
            return;
        }

        item.Failure = new(exception, _clock.UtcNow, traceId);
        if (outcome == CallOutcome.Ignored)
        {
            item.Refusals++;
            item.End = AttemptEnd.Refused;
            return;
        }

        item.Refusals = 0;
        item.Attempts++;
        item.End = AttemptEnd.Retry;
        if (item.Attempts > _policy.MaxRetries || !IsWorthAnother(exception))
        {
            item.End = AttemptEnd.Poison;
            item.Failure = item.Failure with { IsFinal = true };
        }

        _context.Worker.KeepFailure(exception);
        if (item.End == AttemptEnd.Retry)
        {
            _services.Log.Failed(Worker, Name, item.Work.Id, item.Attempts, exception);
        }
    }

    private bool IsWorthAnother(Exception exception)
    {
        try
        {
            return _policy.ShouldRetry?.Invoke(exception) ?? true;
        }
        catch (Exception)
        {
            // As its documentation says.
            return false;
        }
    }
}
