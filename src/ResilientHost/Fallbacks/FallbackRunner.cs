using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;
using ResilientHost.Refusals;
using ResilientHost.Telemetry;
using ResilientHost.Timeouts;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Fallbacks;

/// <summary>Runs an endpoint's fallbacks in their order, each in its bulkhead and under its timeout. Thread-safe; nothing a fallback does is thrown.</summary>
/// <remarks>
/// A fallback is called directly, not through the pipeline: it has no layers and no fallback of its own. In an outage every request comes here, and most fallbacks have their answer at once:
/// no asynchronous frame is entered until something waits.
/// </remarks>
internal sealed partial class FallbackRunner(
    Func<FallbackPolicy> policy, Func<TimeoutPolicy> timeouts, IServiceLevel level, MonotonicClock clock, FallbackMetrics metrics, FallbackLog log) : IDisposable
{
    private readonly FallbackTimeouts _timeouts = new(clock);

    /// <summary>Stops the timers of the timeouts that wait for another fallback.</summary>
    public void Dispose() => _timeouts.Dispose();

    /// <summary>Asks the endpoint's own fallback, then for the last good response.</summary>
    public ValueTask<FallbackResult> TryAnswerAsync(RequestFallback request)
    {
        var (context, fallbacks) = (request.Context, request.Fallbacks);
        var features = context.Features;

        // Of the features themselves: what the context knew of them is gone with the guards that were taken off.
        if (!request.Policy.Enabled
            || HttpMethods.IsConnect(features.FindRequest()?.Method ?? context.Request.Method)
            || (features.FindLifetime()?.RequestAborted ?? context.RequestAborted).IsCancellationRequested
            || !ResponseBody.TryDiscard(context.Response))
        {
            return new(FallbackResult.None);
        }

        // Before anything is written: half an answer must not be kept either.
        FallbackMark.KeepOutOfCache(context);

        // Not the request's own rules: one that began before a reload would bring the old limits back.
        fallbacks.Use.Apply(policy());
        if (fallbacks.Handler is null)
        {
            return OrKept(request, FallbackResult.None);
        }

        var own = RunAsync(FallbackTagValues.Delegate, request);
        return own.IsCompletedSuccessfully ? AfterOwn(request, own.Result) : AwaitOwnAsync(request, own);
    }

    private async ValueTask<FallbackResult> AwaitOwnAsync(RequestFallback request, ValueTask<FallbackResult> own) => await AfterOwn(request, await own);

    private ValueTask<FallbackResult> AfterOwn(RequestFallback request, FallbackResult own) =>
        own == FallbackResult.None && request.Context.RequestAborted.IsCancellationRequested ? new(own) : OrKept(request, own);

    private ValueTask<FallbackResult> OrKept(RequestFallback request, FallbackResult own) =>
        own != FallbackResult.None || request.Fallbacks.Stale is null ? new(own) : RunAsync(FallbackTagValues.Stale, request);

    private ValueTask<FallbackResult> RunAsync(string kind, RequestFallback request)
    {
        if (ResilienceMeter.ActivitySource.HasListeners())
        {
            return RunInSpanAsync(kind, request);
        }

        var attempt = AttemptAsync(kind, request);
        return attempt.IsCompletedSuccessfully ? new(Conclude(kind, request, attempt.Result)) : AwaitAttemptAsync(kind, request, attempt);
    }

    private async ValueTask<FallbackResult> AwaitAttemptAsync(string kind, RequestFallback request, ValueTask<FallbackFailure?> attempt) => Conclude(kind, request, await attempt);

    // A frame of its own: what is current in it, is not for whoever called.
    private async ValueTask<FallbackResult> RunInSpanAsync(string kind, RequestFallback request)
    {
        FallbackFailure? failure;
        using (var activity = ResilienceMeter.ActivitySource.StartActivity(Spans.Fallback))
        {
            activity?.SetTag(Tags.Endpoint, request.Fallbacks.Endpoint).SetTag(Tags.FallbackKind, kind);
            failure = await AttemptAsync(kind, request);
            if (failure is not null)
            {
                activity?.SetTag(Tags.FallbackFailure, failure.Reason).SetStatus(ActivityStatusCode.Error);
            }
        }

        return Conclude(kind, request, failure);
    }

    // Null: it has answered. Never throws.
    private ValueTask<FallbackFailure?> AttemptAsync(string kind, RequestFallback request)
    {
        try
        {
            var attempt = kind == FallbackTagValues.Delegate ? RunHandler(request) : ServeStale(request);
            return attempt.IsCompletedSuccessfully ? attempt : ContainAsync(attempt);
        }
        catch (Exception exception)
        {
            return new(Threw(exception));
        }
    }

    private static async ValueTask<FallbackFailure?> ContainAsync(ValueTask<FallbackFailure?> attempt)
    {
        try
        {
            return await attempt;
        }
        catch (Exception exception)
        {
            return Threw(exception);
        }
    }

    private static FallbackFailure Threw(Exception exception) => new(FallbackTagValues.Exception, "it threw", exception);

    private FallbackResult Conclude(string kind, RequestFallback request, FallbackFailure? failure)
    {
        var (context, fallbacks) = (request.Context, request.Fallbacks);
        var span = Activity.Current;
        if (failure is null)
        {
            fallbacks.Use.CountServed(kind);
            metrics.Served(fallbacks.Tag, kind);
            NoteServed(span, kind, request.Cause);
            log.Served(context, fallbacks.Endpoint, kind, request.Cause);
            request.HasAnswered = true;
            return FallbackResult.Answered;
        }

        span?.AddEvent(new ActivityEvent(SpanEvents.FallbackFailed, tags: new() { [Tags.FallbackKind] = kind, [Tags.FallbackFailure] = failure.Reason }));

        // What a caller makes fail by leaving is no failure of the fallback.
        if (failure.IsCut || !context.RequestAborted.IsCancellationRequested)
        {
            metrics.Failed(fallbacks.Tag, kind, failure.Reason);
            if (failure.Reason != FallbackTagValues.Miss)
            {
                fallbacks.Use.CountFailed();
                log.Failed(context, fallbacks.Endpoint, kind, failure.Reason, failure.What, failure.Exception);
            }
        }

        if (failure.IsCut || !ResponseBody.TryDiscard(context.Response))
        {
            // Half an answer cannot be taken back.
            CutResponse.Mark(context);
            context.Abort();
            return FallbackResult.Cut;
        }

        request.Baseline.Restore(context.Response);
        return FallbackResult.None;
    }

    // The caller sees a good answer; whoever looks at the span must see that it was not the endpoint's.
    private static void NoteServed(Activity? span, string kind, in FallbackCause cause)
    {
        if (span is not { IsAllDataRequested: true })
        {
            return;
        }

        span.AddEvent(new ActivityEvent(SpanEvents.FallbackServed, tags: new() { [Tags.FallbackKind] = kind }));
        span.SetTag(Tags.ErrorType, cause.Describe());
        span.SetStatus(ActivityStatusCode.Error);
    }
}
