using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Hosting;

namespace ResilientHost.Refusals;

/// <summary>The trace id and the request id under which a request is known to the caller, to logs and to problems alike.</summary>
internal static class RequestIdentity
{
    /// <summary>The header that carries a request id in both directions.</summary>
    public const string HeaderName = "X-Request-ID";

    /// <summary>Longest request id that is taken from a caller, in characters.</summary>
    public const int MaxReceivedLength = 128;

    /// <summary>The request's trace id: 32 lower-case hex digits, never all zero, the same for each call within one request.</summary>
    public static string TraceIdOf(HttpContext context) => TraceOf(context).ToString();

    /// <summary>The same, for those who need no string of it.</summary>
    public static RequestTrace TraceOf(HttpContext context)
    {
        var activity = Activity.Current ?? context.Features.Find<IHttpActivityFeature>()?.Activity;
        if (activity is not null && activity.TraceId != default)
        {
            return new RequestTrace(activity.TraceId.ToHexString());
        }

        var generated = context.Features.Find<GeneratedTraceId>();
        if (generated is null)
        {
            generated = new GeneratedTraceId();
            context.Features.Put(generated);
        }

        return new RequestTrace(generated);
    }

    /// <summary>The request id the caller sent; <see langword="null"/> when it sent none, several, or one that is not visible ASCII of at most 128 characters.</summary>
    public static string? ReceivedRequestIdOf(HttpContext context)
    {
        var received = HeadersOf(context)[HeaderName];
        return received.Count == 1 && IsAcceptable(received[0]) ? received[0] : null;
    }

    /// <summary>The caller's request id, else the server's own. For problems and logs.</summary>
    public static string RequestIdOf(HttpContext context)
    {
        if (ReceivedRequestIdOf(context) is { } received)
        {
            return received;
        }

        // The identifier that the framework's own log scopes show; an application may have replaced it by anything.
        var own = context.Features.Find<IHttpRequestIdentifierFeature>()?.TraceIdentifier ?? context.TraceIdentifier;
        return IsAcceptable(own) ? own : TraceIdOf(context);
    }

    /// <summary>Puts a received request id on the response when that starts; does nothing when there is none or the response has started.</summary>
    /// <remarks>
    /// Not before: the output cache would keep the id with the answer and hand it to the next caller, and the stock exception handler would clear it.
    /// The first callback that was registered runs last, so the outermost catch has the last word.
    /// </remarks>
    public static void Echo(HttpContext context)
    {
        if (HeadersOf(context)[HeaderName].Count != 0)
        {
            EchoReceived(context);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void EchoReceived(HttpContext context)
    {
        if (!context.Response.HasStarted && ReceivedRequestIdOf(context) is not null)
        {
            context.Response.OnStarting(
                static state =>
                {
                    var context = (HttpContext)state;
                    if (ReceivedRequestIdOf(context) is { } received)
                    {
                        context.Response.Headers[HeaderName] = received;
                    }

                    return Task.CompletedTask;
                },
                context);
        }
    }

    private static IHeaderDictionary HeadersOf(HttpContext context) => context.Features.FindRequest()?.Headers ?? context.Request.Headers;

    private static bool IsAcceptable(string? id) =>
        id is { Length: > 0 and <= MaxReceivedLength } && !id.AsSpan().ContainsAnyExceptInRange('!', '~');
}
