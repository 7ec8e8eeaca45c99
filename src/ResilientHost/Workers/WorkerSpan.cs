using System.Diagnostics;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.Workers;

/// <summary>The span of one pass of a worker's work: a trace of its own, whatever is around it.</summary>
internal static class WorkerSpan
{
    /// <summary>Starts the span, if anybody listens, and makes it the current one of this asynchronous flow.</summary>
    /// <param name="span">One of <see cref="ResilienceDiagnostics.Spans"/>.</param>
    /// <param name="context">Whose work it is.</param>
    /// <param name="nameTag">Which of <see cref="ResilienceDiagnostics.Tags"/> holds the name.</param>
    /// <param name="name">Name of the iteration, or of the processing of items.</param>
    public static Activity? Start(string span, WorkerContext context, string nameTag, string name)
    {
        if (!ResilienceMeter.ActivitySource.HasListeners())
        {
            return null;
        }

        // A parent, even one of the worker's own making, would make one endless trace of all passes.
        var outer = Activity.Current;
        Activity.Current = null;
        try
        {
            var activity = ResilienceMeter.ActivitySource.StartActivity(span);
            if (activity is null)
            {
                Activity.Current = outer;
                return null;
            }

            activity.DisplayName = $"{context.Name} {name}";
            activity.SetTag(ResilienceDiagnostics.Tags.WorkerName, context.Name);
            activity.SetTag(ResilienceDiagnostics.Tags.WorkerRun, context.Run);
            activity.SetTag(nameTag, name);
            return activity;
        }
        catch (Exception)
        {
            // A listener's failure must not cost the pass.
            Activity.Current = outer;
            return null;
        }
    }

    /// <summary>Ends the span.</summary>
    public static void End(Activity? activity, CallOutcome outcome, Exception? exception)
    {
        if (activity is null)
        {
            return;
        }

        try
        {
            activity.SetTag(ResilienceDiagnostics.Tags.Outcome, WorkOutcomes.NameOf(outcome));
            if (outcome == CallOutcome.Failed)
            {
                activity.SetStatus(ActivityStatusCode.Error, exception is null ? null : TypeNames.Of(exception));
            }

            activity.Dispose();
        }
        catch (Exception)
        {
            // A listener's failure must not cost the pass.
        }
    }
}
