using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Hosting;

namespace ResilientHost.Refusals;

/// <summary>An answer that ended before it was whole, and how middleware outside the layers learns of it.</summary>
/// <remarks>
/// Aborting the connection says it to the client alone. Middleware that replaced the response body (output cache, response caching, compression) would
/// take a quiet return for a whole answer: keep half of it for the next caller, or end it properly.
/// </remarks>
internal static class CutResponse
{
    // On the thread, not in the request: looked at on the way down the same stack, it costs no request anything to keep.
    [ThreadStatic]
    private static IHttpResponseBodyFeature? _serversBody;

    /// <summary>Notes that the answer is not whole.</summary>
    public static void Mark(HttpContext context) => context.Features.Put(Cut.Instance);

    /// <summary>Whether the answer is not whole.</summary>
    public static bool IsMarked(HttpContext context) => context.Features.Find<Cut>() is not null;

    /// <summary>Remembers the body that the server gave; called where no middleware has run yet, and again with null on the way back.</summary>
    public static void RememberServersBody(IHttpResponseBodyFeature? body) => _serversBody = body;

    /// <summary>Whether middleware put a body of its own before the server's.</summary>
    /// <remarks>Behind a middleware that has awaited, the thread may know nothing of the request: then it is served with more care than it may need.</remarks>
    /// <param name="context">The request.</param>
    /// <param name="behindGuard">The body behind our own, where we have put one before it.</param>
    public static bool IsBodyReplaced(HttpContext context, IHttpResponseBodyFeature? behindGuard) =>
        !ReferenceEquals(behindGuard ?? context.Features.FindResponseBody(), _serversBody);

    /// <summary>Tells the middleware outside, when it has to be told and the answer is not whole.</summary>
    /// <exception cref="CutResponseException">Always then: it is how they are told.</exception>
    public static void TellOuter(HttpContext context, bool tellsOuter)
    {
        if (tellsOuter && IsMarked(context))
        {
            throw Tell(context);
        }
    }

    // A cancellation of an aborted request is what everyone knows to ignore; the stock exception handler logs nothing for it. The server cancels the token a
    // moment after the abort and on another thread, which would be too late.
    private static CutResponseException Tell(HttpContext context)
    {
        try
        {
            context.RequestAborted = new CancellationToken(canceled: true);
        }
        catch (Exception)
        {
            // A lifetime feature of someone's own that takes no token: then they see the server's a moment later.
        }

        return new CutResponseException();
    }

    private sealed class Cut
    {
        public static Cut Instance { get; } = new();
    }
}

/// <summary>Unwinds the middleware outside the layers when an answer was cut off. Everything has been said of it: the outermost catch ends it.</summary>
internal sealed class CutResponseException() : OperationCanceledException("The answer was cut off before it was whole.");
