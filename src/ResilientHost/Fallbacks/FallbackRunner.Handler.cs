using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;
using ResilientHost.Pipeline;
using ResilientHost.Timeouts;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Fallbacks;

internal sealed partial class FallbackRunner
{
    private ValueTask<FallbackFailure?> RunHandler(RequestFallback request)
    {
        var isAllowed = FallbackAuthorization.AllowsAsync(
            request.Context, request.Fallbacks.Authorization, request.WasAuthorized, request.Fallbacks.Handler!.RunsFilters);
        return isAllowed.IsCompletedSuccessfully ? RunHandler(request, isAllowed.Result) : AwaitAuthorizationAsync(request, isAllowed);
    }

    private async ValueTask<FallbackFailure?> AwaitAuthorizationAsync(RequestFallback request, ValueTask<bool> isAllowed) => await RunHandler(request, await isAllowed);

    private ValueTask<FallbackFailure?> RunHandler(RequestFallback request, bool isAllowed)
    {
        var (context, fallbacks, handler) = (request.Context, request.Fallbacks, request.Fallbacks.Handler!);
        if (!isAllowed)
        {
            return new(new FallbackFailure(
                FallbackTagValues.Unauthorized,
                (fallbacks.Authorization & RequiredAuthorization.Filters) != RequiredAuthorization.None
                    ? "filters of the action decide who may see its answers, and they run inside of it; name a method of the controller by [Fallback], which runs inside of them, too"
                    : "the endpoint needs authorization, and none had run for the request; UseAuthorization() must come before UseResilienceLayers()"));
        }

        if (!FallbackAntiforgery.Allows(context))
        {
            return new(new FallbackFailure(
                FallbackTagValues.Unauthorized, "the endpoint needs an antiforgery token, and none had been found valid for the request; UseAntiforgery() must come before UseResilienceLayers()"));
        }

        if (handler.ReadsBody && !TryReplay(request))
        {
            return new(new FallbackFailure(FallbackTagValues.Body, $"it binds the request's body, which was larger than the {ReplayableRequestBody.MaxBytes} bytes that are kept"));
        }

        if (!fallbacks.Use.Handler.TryEnter(out var lease, out _))
        {
            return new(new FallbackFailure(FallbackTagValues.BulkheadFull, $"{request.Policy.MaxConcurrency} of it ran already (Fallbacks:MaxConcurrency)"));
        }

        var runs = false;
        var outcome = CallOutcome.Failed;
        FallbackTimeouts.Lease time = default;
        try
        {
            // First, while nothing stands in the request's way that would stay if the application's time provider threw.
            time = _timeouts.Rent();
            var call = Begin(request, handler, time.Timeout);
            if (!call.Task.IsCompleted)
            {
                runs = true;
                time.Timeout.Leave();
                return AwaitHandlerAsync(request, call, lease, time);
            }

            var failure = End(request, call);
            outcome = failure is null ? CallOutcome.Succeeded : CallOutcome.Failed;
            return new(failure);
        }
        finally
        {
            if (!runs)
            {
                fallbacks.Use.Handler.Exit(lease, outcome);
                time.Dispose();
            }
        }
    }

    private static async ValueTask<FallbackFailure?> AwaitHandlerAsync(RequestFallback request, Call call, BulkheadLease lease, FallbackTimeouts.Lease time)
    {
        var outcome = CallOutcome.Failed;
        try
        {
            await call.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var failure = End(request, call);
            outcome = failure is null ? CallOutcome.Succeeded : CallOutcome.Failed;
            return failure;
        }
        finally
        {
            request.Fallbacks.Use.Handler.Exit(lease, outcome);
            time.Dispose();
        }
    }

    private Call Begin(RequestFallback request, FallbackBinding handler, RequestTimeout timeout)
    {
        // Before anything of ours is there: it throws where something that the endpoint left running has started the response.
        var context = request.Context;
        request.Baseline.Restore(context.Response);
        context.Features.Put(new FallbackContext(context)
        {
            Exception = request.Cause.Exception,
            Refusal = request.Cause.Refusal,
            FailedStatusCode = request.Cause.StatusCode,
            Level = level.Current,
        });
        var mark = new FallbackMark(context.Response, FallbackTagValues.Delegate);
        var body = GuardedResponseBody.Attach(context, replacesFailures: true, tap: mark, GuardedAnswer.Substitute);
        try
        {
            timeout.Begin(context, request.Policy.Timeout, timeouts().Grace, clock.CoarseTimestampNotBefore(), listener: null);
            timeout.Stay();

            // After the features: what is looked up of the response here, the fallback finds looked up.
            mark.Register();
        }
        catch (Exception exception)
        {
            // As of a fallback that threw: nothing may pass for its answer.
            End(request, new(Task.FromException(exception), timeout, mark, body));
            throw;
        }

        return new(InvokeAsync(handler, context), timeout, mark, body);
    }

    // A frame: what a fallback that is no asynchronous method makes current of its own (a culture, a span, a synchronization context) ends with it.
    private static async Task InvokeAsync(FallbackBinding handler, HttpContext context) =>
        await (handler.InvokeAsync(context) ?? throw new InvalidOperationException("The fallback returned null instead of a task."));

    private static FallbackFailure? End(RequestFallback request, in Call call)
    {
        var (context, policy) = (request.Context, request.Policy);
        var timedOut = call.Timeout.End();
        call.Body?.Detach(mayBeHeld: timedOut || !call.Task.IsCompletedSuccessfully);
        context.Features.Put<FallbackContext>(null);
        if (call.Timeout.HasOverrun)
        {
            return new(FallbackTagValues.Timeout, "it did not end when it was cancelled (Fallbacks:Timeout); the connection was aborted", IsCut: true);
        }

        var response = context.Features.FindResponse();
        var hasStarted = response?.HasStarted ?? context.Response.HasStarted;
        var status = response?.StatusCode ?? context.Response.StatusCode;
        var isWhole = call.Task.IsCompletedSuccessfully && call.Body is not { HasReplaced: true } && (hasStarted || status < StatusCodes.Status500InternalServerError);
        if (isWhole && (hasStarted || !timedOut))
        {
            if (!hasStarted)
            {
                call.Mark.Set();
            }

            return null;
        }

        call.Mark.Withdraw();
        return timedOut ? new(FallbackTagValues.Timeout, $"it took longer than {policy.Timeout.TotalSeconds} s (Fallbacks:Timeout)")
            : call.Task.IsCompletedSuccessfully ? new(FallbackTagValues.Status, $"it answered {status} itself")
            : Threw(EndedTask.ExceptionOf(call.Task));
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

    /// <summary>A fallback that runs, and what stands around it.</summary>
    private readonly record struct Call(Task Task, RequestTimeout Timeout, FallbackMark Mark, GuardedResponseBody? Body);
}
