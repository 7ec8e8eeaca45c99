using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Hosting;

namespace ResilientHost.Pipeline;

/// <summary>Tells requests whose answer may stream for hours: WebSocket upgrades, server-sent events, gRPC streams.</summary>
/// <remarks>
/// What the caller sends only makes a request a candidate. Layers let go when the answer itself has started as a stream, so no
/// header opens a way around a bulkhead.
/// </remarks>
internal static class StreamingResponse
{
    public const string EventStream = "text/event-stream";

    /// <param name="context">The request.</param>
    /// <param name="plan">The layers.</param>
    /// <param name="headers">The request's headers.</param>
    /// <param name="method">The request's method.</param>
    public static bool MayStream(HttpContext context, EndpointPlan plan, IHeaderDictionary headers, string method)
    {
        if (plan.IsStreaming || headers.Upgrade.Count > 0)
        {
            return true;
        }

        var accept = headers.Accept;
        return (accept.Count == 1 && IsEventStream(accept[0]))
            || (HttpMethods.IsConnect(method) && context.Features.Find<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true });
    }

    /// <summary>Whether the answer that is starting now is a stream.</summary>
    public static bool HasStarted(HttpContext context, EndpointPlan plan) =>
        plan.IsStreaming
        || context.Response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || IsEventStream(context.Response.ContentType)
        || (HttpMethods.IsConnect(context.Request.Method) && context.Response.StatusCode == StatusCodes.Status200OK);

    private static bool IsEventStream(string? mediaType) =>
        mediaType is not null && mediaType.Length >= EventStream.Length && (mediaType[0] | 0x20) == 't' && mediaType.StartsWith(EventStream, StringComparison.OrdinalIgnoreCase);
}
