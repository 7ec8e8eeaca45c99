using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHost.Pipeline;

/// <summary>Tells requests whose answer may stream for hours: WebSocket upgrades, server-sent events, gRPC streams.</summary>
/// <remarks>
/// What the caller sends only makes a request a candidate. Layers let go when the answer itself has started as a stream, so no
/// header opens a way around a bulkhead.
/// </remarks>
internal static class StreamingResponse
{
    public const string EventStream = "text/event-stream";

    public static bool MayStream(HttpContext context, EndpointPlan plan)
    {
        if (plan.IsStreaming)
        {
            return true;
        }

        var headers = context.Request.Headers;
        return headers.Upgrade.Count > 0
            || IsEventStream(headers.Accept.Count == 1 ? headers.Accept[0] : null)
            || (HttpMethods.IsConnect(context.Request.Method) && context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true });
    }

    /// <summary>Whether the answer that is starting now is a stream.</summary>
    public static bool HasStarted(HttpContext context, EndpointPlan plan) =>
        plan.IsStreaming
        || context.Response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || IsEventStream(context.Response.ContentType)
        || (HttpMethods.IsConnect(context.Request.Method) && context.Response.StatusCode == StatusCodes.Status200OK);

    private static bool IsEventStream(string? mediaType) =>
        mediaType is not null && mediaType.StartsWith(EventStream, StringComparison.OrdinalIgnoreCase);
}
