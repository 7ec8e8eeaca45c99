using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Fallbacks;
using ResilientHost.Hosting;
using ResilientHost.Refusals;

namespace ResilientHost.Recovery;

/// <summary>Asks the application's <see cref="IExceptionHandler"/>s in the order of their registration. Thread-safe.</summary>
internal sealed class RegisteredExceptionHandlers(RecoveryLog log)
{
    /// <summary>Asks one after the other. A handler that throws is contained and the next one is asked.</summary>
    /// <returns>
    /// Whether one of them has answered, and its answer, where it is one of a failure that is held back for a fallback. Not handled, with a response that has started or that holds bytes: one of them
    /// began an answer and did not end it.
    /// </returns>
    public async Task<(bool IsHandled, FailedAnswer? Held)> TryHandleAsync(HttpContext context, Exception exception, RecoveryScope scope, int status)
    {
        foreach (var handler in context.RequestServices?.GetServices<IExceptionHandler>() ?? [])
        {
            if (!ResponseBody.TryDiscard(context.Response))
            {
                return default;
            }

            Prepare(context, scope, status);
            scope.Fallback?.HoldFailures();
            FailedAnswer? held = null;
            var isHandled = false;
            try
            {
                isHandled = await handler.TryHandleAsync(context, exception, context.RequestAborted);
            }
            catch (Exception failure)
            {
                // Its way of saying "not mine" when it throws the same one again, or when nobody is left to answer.
                if (!ReferenceEquals(failure, exception) && !ClientPresence.HasLeft(context, failure, scope))
                {
                    log.Failure(FailureKind.HandlerThrew, context, failure, scope, status);
                }
            }
            finally
            {
                held = scope.Fallback?.TakeHeld();
            }

            if (isHandled)
            {
                return (true, held);
            }
        }

        return default;
    }

    /// <summary>What <c>UseExceptionHandler</c> offers its handlers and customisers, offered here too.</summary>
    public static void SetFeatures(HttpContext context, Exception exception)
    {
        var feature = new ExceptionHandlerFeature
        {
            Error = exception,
            Path = context.Request.Path.Value ?? string.Empty,
            Endpoint = context.GetEndpoint(),
            RouteValues = context.Features.Find<IRouteValuesFeature>()?.RouteValues,
        };
        context.Features.Put<IExceptionHandlerFeature>(feature);
        context.Features.Put<IExceptionHandlerPathFeature>(feature);
    }

    private static void Prepare(HttpContext context, RecoveryScope scope, int status)
    {
        var response = context.Response;
        scope.Baseline.Restore(response);
        response.StatusCode = status;
        response.Headers.CacheControl = "no-store";
        response.Headers[RequestIdentity.HeaderName] = RequestIdentity.RequestIdOf(context);
    }
}
