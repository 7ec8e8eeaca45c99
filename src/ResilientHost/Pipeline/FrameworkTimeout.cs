using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using ResilientHost.Fallbacks;
using ResilientHost.Recovery;

namespace ResilientHost.Pipeline;

/// <summary>The framework's own request timeout (<c>UseRequestTimeouts</c>) around the layers: its answer is its own business.</summary>
/// <remarks>Its token is that of the client, too: which of the two it was, only the middleware that made it knows, and it is told by the exception.</remarks>
internal static class FrameworkTimeout
{
    /// <summary>Whether an exception is what the framework's timeout, or a client that left under it, looks like.</summary>
    public static bool HasFired(HttpContext context, Exception exception) =>
        ClientPresence.IsCancellation(exception)
        && context.Features.Get<IHttpRequestTimeoutFeature>() is { RequestTimeoutToken.IsCancellationRequested: true };

    /// <summary>As far as the connection tells.</summary>
    public static bool HasClientLeft(HttpContext context) =>
        context.Features.Get<IConnectionLifetimeFeature>() is { ConnectionClosed.IsCancellationRequested: true };

    /// <summary>Whether a fallback has answered.</summary>
    public static async Task<bool> TryAnswerAsync(RequestFallback fallback, Exception exception)
    {
        var context = fallback.Context;
        if (HasClientLeft(context))
        {
            return false;
        }

        // The token has been cancelled for the endpoint; a fallback has a timeout of its own.
        var cancelled = context.RequestAborted;
        context.RequestAborted = CancellationToken.None;
        var result = await fallback.TryAnswerAsync(new(exception));
        context.RequestAborted = cancelled;
        return result != FallbackResult.None;
    }
}
