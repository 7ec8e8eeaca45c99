using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Fallbacks;
using ResilientHost.Hosting;
using ResilientHost.Pipeline;
using ResilientHost.Refusals;

namespace ResilientHost.Recovery;

/// <summary>Turns an exception of a request into an answer, or aborts when an answer has begun. Thread-safe.</summary>
/// <remarks>
/// The order of decision: client gone, response started, a refusal thrown in a Polly pipeline, the configured map (below 500 is final), the application's
/// <c>IExceptionHandler</c>s (an answer of theirs of 500 or above is held back for a fallback), the endpoint's fallbacks, the problem. Counting, logging and leaving the layers come before the answer is written: an entry must not be lost, nor a place
/// be held, because a client reads slowly, and whoever has the answer can already find it in the log and in the circuit.
/// </remarks>
internal sealed class ExceptionRecovery(
    Func<RecoveryPolicy> policy,
    ProblemWriter problems,
    RefusalWriter refusals,
    RegisteredExceptionHandlers handlers,
    RecoveredExceptions recovered,
    RecoveryMetrics metrics,
    RecoveryLog log)
{
    private static readonly RecoveryResult Succeeded = new(CallOutcome.Succeeded, RequestDisposition.Succeeded);

    private static readonly RecoveryResult Failed = new(CallOutcome.Failed, RequestDisposition.Recovered);

    /// <summary>Decides, answers or aborts, logs once, counts. Never throws.</summary>
    public async Task<RecoveryResult> RecoverAsync(HttpContext context, Exception exception, RecoveryScope scope)
    {
        try
        {
            return !scope.IsCut && ClientPresence.HasLeft(context, exception, scope)
                ? EndWithoutClient(context, scope)
                : await AnswerAsync(context, exception, scope);
        }
        catch (Exception failure)
        {
            if (!ClientPresence.HasLeft(context, failure, scope))
            {
                log.Failure(FailureKind.AnswerFailed, context, failure, scope, StatusCodes.Status500InternalServerError);
            }

            Abort(context);
            return Failed;
        }
    }

    private RecoveryResult EndWithoutClient(HttpContext context, RecoveryScope scope)
    {
        log.ClientGone(context, scope);
        var response = context.Response;
        if (response.HasStarted)
        {
            CutResponse.Mark(context);
        }
        else
        {
            if (ResponseBody.TryDiscard(response))
            {
                scope.Baseline.Restore(response);
                response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            }
            else
            {
                Abort(context);
            }
        }

        return new(CallOutcome.Ignored, RequestDisposition.Aborted);
    }

    private async Task<RecoveryResult> AnswerAsync(HttpContext context, Exception exception, RecoveryScope scope)
    {
        var isNews = recovered.TryMark(context, exception, out var isFresh);
        scope.Fresh = isFresh ? exception : null;
        if (isNews)
        {
            metrics.Count(exception, scope.Origin);
        }

        if (scope.IsCut || !ResponseBody.TryDiscard(context.Response))
        {
            return AbortStarted(context, exception, scope, isNews);
        }

        FallbackMark.KeepOutOfCache(context);
        if (scope.TimedOut is { } timeout)
        {
            // Whatever the endpoint makes of its cancellation, the caller has waited too long.
            RefusalWriter.Note(timeout);
            if (!await FallsBackAsync(context, exception, new(timeout), scope, isNews, RefusalTable.Resolve(timeout).Status, scope.TimedOutOutcome))
            {
                Report(context, exception, scope, isNews, RefusalTable.Resolve(timeout).Status);
                scope.LeaveLayers?.Invoke(scope.TimedOutOutcome);
                await refusals.WriteAsync(context, timeout, scope.Baseline);
            }

            return new(scope.TimedOutOutcome, RequestDisposition.TimedOut);
        }

        if (RefusalExceptions.Of(exception) is { } refusal)
        {
            return await AnswerRefusalAsync(context, exception, refusal, scope);
        }

        var current = policy();
        var problem = current.Exceptions.Resolve(exception);
        if (IsSuccess(problem.Status))
        {
            Report(context, exception, scope, isNews, problem.Status);
            await problems.WriteAsync(context, problem, scope.Baseline, exception, DetailsFor(current, exception));
            return Succeeded;
        }

        RegisteredExceptionHandlers.SetFeatures(context, exception);
        var (isHandled, held) = await handlers.TryHandleAsync(context, exception, scope, problem.Status);
        if (isHandled)
        {
            var status = held?.Status ?? context.Response.StatusCode;
            if (held is null)
            {
                Report(context, exception, scope, isNews, status);
            }
            else if (!await FallsBackAsync(context, exception, new(exception), scope, isNews, status))
            {
                Report(context, exception, scope, isNews, status);
                scope.LeaveLayers?.Invoke(CallOutcome.Failed);
                await held.SendAsync(context, problems, scope.Baseline);
            }

            return IsSuccess(status) ? Succeeded : Failed;
        }

        if (!ResponseBody.TryDiscard(context.Response))
        {
            return AbortStarted(context, exception, scope, isNews);
        }

        if (!await FallsBackAsync(context, exception, new(exception), scope, isNews, problem.Status))
        {
            Report(context, exception, scope, isNews, problem.Status);
            scope.LeaveLayers?.Invoke(CallOutcome.Failed);
            await problems.WriteAsync(context, problem, scope.Baseline, exception, DetailsFor(current, exception));
        }

        return Failed;
    }

    // A layer further in, around an HTTP client or in a pipeline of the endpoint's own, said no: the same answer as one of ours. No verdict on the endpoint, unless time ran out in it.
    private async Task<RecoveryResult> AnswerRefusalAsync(HttpContext context, Exception exception, Refusal refusal, RecoveryScope scope)
    {
        log.Answered(context, exception, scope, RefusalTable.Resolve(refusal).Status);
        RefusalWriter.Note(refusal);
        var outcome = RefusalExceptions.OutcomeOf(refusal);
        if (scope.Fallback is not { } fallback || await fallback.TryAnswerAsync(new(refusal), outcome) == FallbackResult.None)
        {
            scope.LeaveLayers?.Invoke(outcome);
            await refusals.WriteAsync(context, refusal, scope.Baseline);
        }

        return new(outcome, RequestDisposition.Refused);
    }

    // True also when a fallback began an answer and the connection had to be aborted: nothing is to be added to it.
    private ValueTask<bool> FallsBackAsync(HttpContext context, Exception exception, in FallbackCause cause, RecoveryScope scope, bool isNews, int status, CallOutcome outcome = CallOutcome.Failed)
    {
        if (scope.Fallback is not { } fallback)
        {
            return new(false);
        }

        var result = fallback.TryAnswerAsync(cause, outcome);
        return result.IsCompletedSuccessfully
            ? new(HasFallenBack(context, exception, scope, isNews, status, result.Result))
            : AwaitFallbackAsync(context, exception, scope, isNews, status, result);
    }

    private async ValueTask<bool> AwaitFallbackAsync(HttpContext context, Exception exception, RecoveryScope scope, bool isNews, int status, ValueTask<FallbackResult> result) =>
        HasFallenBack(context, exception, scope, isNews, status, await result);

    private bool HasFallenBack(HttpContext context, Exception exception, RecoveryScope scope, bool isNews, int status, FallbackResult result)
    {
        if (result == FallbackResult.None)
        {
            return false;
        }

        // Only now is it known what became of it.
        Observe(context, exception, isError: true);
        if (isNews)
        {
            log.Failure(result == FallbackResult.Answered ? FailureKind.FellBack : FailureKind.Aborted, context, exception, scope, status);
        }

        return true;
    }

    private RecoveryResult AbortStarted(HttpContext context, Exception exception, RecoveryScope scope, bool isNews)
    {
        Observe(context, exception, isError: true);
        if (isNews)
        {
            log.Failure(FailureKind.Aborted, context, exception, scope, context.Response.StatusCode);
        }

        Abort(context);
        return Failed;
    }

    private void Report(HttpContext context, Exception exception, RecoveryScope scope, bool isNews, int status)
    {
        var isError = !IsSuccess(status);
        Observe(context, exception, isError);
        if (!isNews)
        {
            return;
        }

        if (isError)
        {
            log.Failure(FailureKind.Answered, context, exception, scope, status);
        }
        else
        {
            log.Answered(context, exception, scope, status);
        }
    }

    private static void Observe(HttpContext context, Exception exception, bool isError)
    {
        var activity = Activity.Current ?? context.Features.Find<IHttpActivityFeature>()?.Activity;
        if (activity is not { IsAllDataRequested: true })
        {
            return;
        }

        // The type only: a message may hold anything, and spans leave the house.
        var type = TypeNames.Of(exception);
        activity.AddEvent(new ActivityEvent(
            ResilienceDiagnostics.SpanEvents.Recovered,
            tags: new ActivityTagsCollection { [ResilienceDiagnostics.Tags.ExceptionType] = type }));
        if (isError)
        {
            activity.SetTag(ResilienceDiagnostics.Tags.ErrorType, type);
            activity.SetStatus(ActivityStatusCode.Error);
        }
    }

    private static ExceptionDetails? DetailsFor(RecoveryPolicy policy, Exception exception) =>
        policy.IncludeExceptionDetails ? SafeException.Details(exception) : null;

    private static bool IsSuccess(int status) => status < StatusCodes.Status500InternalServerError;

    private static void Abort(HttpContext context)
    {
        CutResponse.Mark(context);
        try
        {
            context.Abort();
        }
        catch (Exception)
        {
            // A lifetime feature of someone's own; the server ends the connection when the request ends badly.
        }
    }
}
