using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHost.IntegrationTests.Fixture;

/// <summary>What an endpoint that waits for nothing but its caller's leaving has to do.</summary>
public static class CallerLeaving
{
    /// <summary>Waits until the caller has gone; then throws as an endpoint does that heeds its token.</summary>
    /// <remarks>
    /// Asks the connection, too: Kestrel 10.0.12 never cancels <see cref="HttpContext.RequestAborted"/> of an HTTP/1.1 request that came, and whose
    /// caller left, while the request before it on the connection had sent the last byte of a declared length and not yet returned, if that one had
    /// asked for its own token.
    /// </remarks>
    public static async Task UntilCallerLeavesAsync(this HttpContext context)
    {
        var connection = context.Features.GetRequiredFeature<IConnectionLifetimeFeature>();
        using var left = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, connection.ConnectionClosed);
        await Task.Delay(Timeout.Infinite, left.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        context.RequestAborted.ThrowIfCancellationRequested();
    }
}
