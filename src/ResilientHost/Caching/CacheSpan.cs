using System.Diagnostics;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.Caching;

/// <summary>The span of a factory. No member throws: listeners run in here.</summary>
internal static class CacheSpan
{
    /// <summary>Starts it, if anybody listens, and makes it the current one of this asynchronous flow.</summary>
    /// <param name="cache">Name of the cache.</param>
    /// <param name="isBackground">Whether it is a trace of its own, linked to the reader's that brought it about.</param>
    public static Activity? Start(string cache, bool isBackground)
    {
        var caller = Activity.Current;
        try
        {
            if (isBackground)
            {
                Activity.Current = null;
            }

            ActivityLink[]? links = isBackground && caller is not null ? [new(caller.Context)] : null;
            return ResilienceMeter.ActivitySource.StartActivity(
                ResilienceDiagnostics.Spans.CacheFactory,
                ActivityKind.Internal,
                parentContext: default,
                tags: [new(ResilienceDiagnostics.Tags.CacheName, cache)],
                links: links);
        }
        catch (Exception)
        {
            // A listener's failure must not cost the value.
            return null;
        }
    }

    public static void End(Activity? activity, CallOutcome outcome, Exception? exception)
    {
        if (activity is null)
        {
            return;
        }

        try
        {
            activity.SetTag(ResilienceDiagnostics.Tags.Outcome, CacheNames.Of(outcome));
            if (outcome == CallOutcome.Failed)
            {
                activity.SetStatus(ActivityStatusCode.Error, exception is null ? null : TypeNames.Of(exception));
            }

            activity.Dispose();
        }
        catch (Exception)
        {
            // As above.
        }
    }
}
