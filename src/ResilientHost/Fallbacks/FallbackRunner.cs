using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;
using ResilientHost.Pipeline;
using ResilientHost.Recovery;
using ResilientHost.Refusals;
using ResilientHost.Telemetry;
using ResilientHost.Timeouts;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Fallbacks;

/// <summary>Runs an endpoint's fallbacks in their order, each in its bulkhead and under its timeout. Thread-safe; nothing a fallback does is thrown.</summary>
/// <remarks>A fallback is called directly, not through the pipeline: it has no layers and no fallback of its own.</remarks>
internal sealed class FallbackRunner(
    Func<FallbackPolicy> policy, Func<TimeoutPolicy> timeouts, IServiceLevel level, MonotonicClock clock, FallbackMetrics metrics, FallbackLog log) : IDisposable
{
    private readonly FallbackTimeouts _timeouts = new(clock);

    /// <summary>Stops the timers of the timeouts that wait for another fallback.</summary>
    public void Dispose() => _timeouts.Dispose();

    /// <summary>Asks the endpoint's own fallback, then for the last good response.</summary>
    public async ValueTask<FallbackResult> TryAnswerAsync(RequestFallback request, FallbackCause cause)
    {
        var (context, fallbacks) = (request.Context, request.Fallbacks);
        if (!request.Policy.Enabled || HttpMethods.IsConnect(context.Request.Method) || context.RequestAborted.IsCancellationRequested || !ResponseBody.TryDiscard(context.Response))
        {
            return FallbackResult.None;
        }

        // Before anything is written: half an answer must not be kept either.
        FallbackMark.KeepOutOfCache(context);

        // Not the request's own rules: one that began before a reload would bring the old limits back.
        fallbacks.Use.Apply(policy());
        if (fallbacks.Handler is { } handler)
        {
            var result = await RunAsync(
                FallbackTagValues.Delegate, handler, request, cause, static (runner, handler, request, cause) => runner.RunHandlerAsync(handler, request, cause));
            if (result != FallbackResult.None || context.RequestAborted.IsCancellationRequested)
            {
                return result;
            }
        }

        return fallbacks.Stale is { } stale
            ? await RunAsync(FallbackTagValues.Stale, stale, request, cause, static (runner, stale, request, _) => runner.ServeStaleAsync(stale, request))
            : FallbackResult.None;
    }

    private async ValueTask<FallbackResult> RunAsync<TFallback>(
        string kind, TFallback fallback, RequestFallback request, FallbackCause cause, Func<FallbackRunner, TFallback, RequestFallback, FallbackCause, ValueTask<Attempt>> run)
    {
        var (context, fallbacks) = (request.Context, request.Fallbacks);
        Attempt attempt;
        using (var activity = ResilienceMeter.ActivitySource.StartActivity(Spans.Fallback))
        {
            activity?.SetTag(Tags.Endpoint, fallbacks.Endpoint).SetTag(Tags.FallbackKind, kind);
            try
            {
                attempt = await run(this, fallback, request, cause);
            }
            catch (Exception exception)
            {
                attempt = Attempt.Failed(FallbackTagValues.Exception, "it threw", exception);
            }

            if (attempt.Reason is { } reason)
            {
                activity?.SetTag(Tags.FallbackFailure, reason).SetStatus(ActivityStatusCode.Error);
            }
        }

        var span = Activity.Current;
        if (attempt.Reason is null)
        {
            fallbacks.Use.CountServed(kind);
            metrics.Served(fallbacks.Tag, kind);
            NoteServed(span, kind, cause);
            log.Served(context, fallbacks.Endpoint, kind, cause);
            return FallbackResult.Answered;
        }

        span?.AddEvent(new ActivityEvent(SpanEvents.FallbackFailed, tags: new() { [Tags.FallbackKind] = kind, [Tags.FallbackFailure] = attempt.Reason }));

        // What a caller makes fail by leaving is no failure of the fallback.
        if (attempt.IsCut || !context.RequestAborted.IsCancellationRequested)
        {
            metrics.Failed(fallbacks.Tag, kind, attempt.Reason);
            if (attempt.Reason != FallbackTagValues.Miss)
            {
                fallbacks.Use.CountFailed();
                log.Failed(context, fallbacks.Endpoint, kind, attempt.Reason, attempt.What!, attempt.Exception);
            }
        }

        if (attempt.IsCut || !ResponseBody.TryDiscard(context.Response))
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

    private async ValueTask<Attempt> RunHandlerAsync(FallbackBinding handler, RequestFallback request, FallbackCause cause)
    {
        var (context, fallbacks, policy) = (request.Context, request.Fallbacks, request.Policy);
        if (!await FallbackAuthorization.AllowsAsync(context, fallbacks.Authorization, request.WasAuthorized, handler.RunsFilters))
        {
            return Attempt.Failed(
                FallbackTagValues.Unauthorized,
                (fallbacks.Authorization & RequiredAuthorization.Filters) != RequiredAuthorization.None
                    ? "filters of the action decide who may see its answers, and they run inside of it; name a method of the controller by [Fallback], which runs inside of them, too"
                    : "the endpoint needs authorization, and none had run for the request; UseAuthorization() must come before UseResilienceLayers()");
        }

        if (!FallbackAntiforgery.Allows(context))
        {
            return Attempt.Failed(
                FallbackTagValues.Unauthorized, "the endpoint needs an antiforgery token, and none had been found valid for the request; UseAntiforgery() must come before UseResilienceLayers()");
        }

        if (handler.ReadsBody && !TryReplay(request))
        {
            return Attempt.Failed(FallbackTagValues.Body, $"it binds the request's body, which was larger than the {ReplayableRequestBody.MaxBytes} bytes that are kept");
        }

        if (!fallbacks.Use.Handler.TryEnter(out var lease, out _))
        {
            return Attempt.Failed(FallbackTagValues.BulkheadFull, $"{policy.MaxConcurrency} of it ran already (Fallbacks:MaxConcurrency)");
        }

        var attempt = Attempt.Failed(FallbackTagValues.Exception, "it threw");
        try
        {
            return attempt = await CallAsync(handler, request, cause);
        }
        finally
        {
            fallbacks.Use.Handler.Exit(lease, attempt.Reason is null ? CallOutcome.Succeeded : CallOutcome.Failed);
        }
    }

    private async ValueTask<Attempt> CallAsync(FallbackBinding handler, RequestFallback request, FallbackCause cause)
    {
        var (context, policy, response) = (request.Context, request.Policy, request.Context.Response);

        // First, while nothing stands in the request's way that would stay if the application's time provider threw.
        using var lease = _timeouts.Rent();
        var timeout = lease.Timeout;
        request.Baseline.Restore(response);
        context.Features.Set(new FallbackContext(context)
        {
            Exception = cause.Exception,
            Refusal = cause.Refusal,
            FailedStatusCode = cause.StatusCode,
            Level = level.Current,
        });
        var mark = FallbackMark.Put(response, FallbackTagValues.Delegate);
        var body = GuardedResponseBody.Attach(context, replacesFailures: true, tap: mark);
        timeout.Begin(context, policy.Timeout, timeouts().Grace, clock.Timestamp(), listener: null);
        Task call;
        try
        {
            call = handler.InvokeAsync(context) ?? throw new InvalidOperationException("The fallback returned null instead of a task.");
        }
        catch (Exception exception)
        {
            call = Task.FromException(exception);
        }

        await call.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var timedOut = timeout.End();
        body?.Detach(mayBeHeld: timedOut);
        context.Features.Set<FallbackContext>(null);
        if (timeout.HasOverrun)
        {
            return Attempt.Cut(FallbackTagValues.Timeout, "it did not end when it was cancelled (Fallbacks:Timeout); the connection was aborted");
        }

        var isWhole = call.IsCompletedSuccessfully && body is not { HasReplaced: true } && (response.HasStarted || response.StatusCode < StatusCodes.Status500InternalServerError);
        if (isWhole && (response.HasStarted || !timedOut))
        {
            mark.Set();
            return Attempt.Answered;
        }

        mark.Withdraw();
        return timedOut ? Attempt.Failed(FallbackTagValues.Timeout, $"it took longer than {policy.Timeout.TotalSeconds} s (Fallbacks:Timeout)")
            : call.IsCompletedSuccessfully ? Attempt.Failed(FallbackTagValues.Status, $"it answered {response.StatusCode} itself")
            : Attempt.Failed(FallbackTagValues.Exception, "it threw", EndedTask.ExceptionOf(call));
    }

    private static bool TryReplay(RequestFallback request)
    {
        if (request.IsUntouched)
        {
            return true;
        }

        if (request.RequestBody is not { IsReplayable: true } body)
        {
            return false;
        }

        body.Replay();
        return true;
    }

    private async ValueTask<Attempt> ServeStaleAsync(StaleFallback stale, RequestFallback request)
    {
        var (answer, failure) = await FindStaleAsync(stale, request);
        if (answer is not { } found)
        {
            return failure;
        }

        // The place among the lookups has been given back: callers who read slowly must not keep others from the store.
        await StaleFallback.WriteAsync(request.Context, found, request.Baseline);
        return Attempt.Answered;
    }

    private async ValueTask<(StaleAnswer? Answer, Attempt Failure)> FindStaleAsync(StaleFallback stale, RequestFallback request)
    {
        var (context, fallbacks, policy) = (request.Context, request.Fallbacks, request.Policy);
        if (!request.IsUntouched && !stale.IsStill(context, request.AskedFor))
        {
            return (null, Attempt.Failed(FallbackTagValues.Miss, "the request is not one that a kept response may answer"));
        }

        if (!fallbacks.Use.Stale.TryEnter(out var lease, out _))
        {
            return (null, Attempt.Failed(FallbackTagValues.BulkheadFull, $"{policy.MaxConcurrency} lookups waited for the store already (Fallbacks:MaxConcurrency)"));
        }

        try
        {
            if (stale.AnswersAtOnce)
            {
                return await stale.FindAsync(context, request.StaleKey, CancellationToken.None) is { } kept ? (kept, default) : (null, NotKept);
            }

            // What hangs is given up on when the time is over; what is held elsewhere is bounded there.
            using var timeUp = new CancellationTokenSource(policy.Timeout, clock.Provider);
            using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(timeUp.Token, context.RequestAborted);
            return await stale.FindAsync(context, request.StaleKey, giveUp.Token) is { } answer ? (answer, default)
                : timeUp.IsCancellationRequested
                    ? (null, Attempt.Failed(FallbackTagValues.Timeout, $"the store of responses took longer than {policy.Timeout.TotalSeconds} s (Fallbacks:Timeout)"))
                    : (null, NotKept);
        }
        finally
        {
            fallbacks.Use.Stale.Exit(lease, CallOutcome.Ignored);
        }
    }

    private static Attempt NotKept => Attempt.Failed(FallbackTagValues.Miss, "no response was kept that is young enough");

    /// <param name="Reason">Why there is no answer; null when there is one.</param>
    /// <param name="What">The same for people.</param>
    /// <param name="Exception">What was thrown.</param>
    /// <param name="IsCut">Nothing whole can be answered any more.</param>
    private readonly record struct Attempt(string? Reason, string? What, Exception? Exception, bool IsCut)
    {
        public static Attempt Answered => default;

        public static Attempt Failed(string reason, string what, Exception? exception = null) => new(reason, what, exception, IsCut: false);

        public static Attempt Cut(string reason, string what) => new(reason, what, null, IsCut: true);
    }
}
