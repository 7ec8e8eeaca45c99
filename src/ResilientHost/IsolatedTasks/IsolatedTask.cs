using System.Diagnostics;
using ResilientHost.Recovery;

namespace ResilientHost.IsolatedTasks;

/// <summary>One task, from its admission to its end.</summary>
/// <param name="track">The name it counts under.</param>
/// <param name="work">The application's.</param>
/// <param name="started">When it was admitted.</param>
/// <param name="origin">Where it was started.</param>
internal sealed class IsolatedTask(IsolatedTaskTrack track, Func<CancellationToken, Task> work, long started, TaskOrigin origin)
{
    // Asynchronous continuations: whoever awaits must not run before the task has left its track, nor on its thread.
    private readonly TaskCompletionSource<CallOutcome> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IsolatedTaskTrack Track { get; } = track;

    public long Started { get; } = started;

    public TaskOrigin Origin { get; } = origin;

    public CarriedContext Context { get; set; } = CarriedContext.None;

    /// <summary>Never faulted, never cancelled.</summary>
    public Task<CallOutcome> Completion => _ended.Task;

    /// <summary>Neighbours in the track, under the runner's lock.</summary>
    public IsolatedTask? Older { get; set; }

    public IsolatedTask? Younger { get; set; }

    public void Complete(CallOutcome outcome) => _ended.TrySetResult(outcome);

    /// <summary>Runs the work within its context. Never throws.</summary>
    public async Task<CallOutcome> RunAsync(LogScopes scopes, IsolatedTaskLog log, Func<IsolatedTask, TimeSpan> age, CancellationToken stopping)
    {
        // Before the first await, so that what is put around this method is around the work.
        var span = Context.Enter(Track.Name, scopes);
        var outcome = CallOutcome.Ignored;
        try
        {
            if (!stopping.IsCancellationRequested)
            {
                await (work(stopping) ?? throw new InvalidOperationException($"The work of isolated task '{Track.Name}' returned null instead of a task."));
                outcome = CallOutcome.Succeeded;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // It was told to stop, and did.
        }
        catch (Exception exception)
        {
            outcome = CallOutcome.Failed;
            log.Failed(this, age(this), exception);
            Mark(span, exception);
        }

        End(span, outcome);
        return outcome;
    }

    private static void Mark(Activity? span, Exception exception) =>
        span?.SetTag(ResilienceDiagnostics.Tags.ErrorType, TypeNames.Of(exception)).SetStatus(ActivityStatusCode.Error);

    private static void End(Activity? span, CallOutcome outcome)
    {
        try
        {
            span?.SetTag(ResilienceDiagnostics.Tags.Outcome, IsolatedTaskNames.Of(outcome)).Dispose();
        }
        catch (Exception)
        {
            // An activity listener's failure must not keep the task alive.
        }
    }
}
