using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using ResilientHost.Pipeline;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Telemetry.Requests;

/// <summary>Describes the framework's span of a request by OpenTelemetry's names: of itself it has none of them.</summary>
internal static class RequestSpan
{
    private const string Route = "http.route";

    public static void Describe(Activity activity, HttpContext context, string method, string? route, in CompletedRequest request)
    {
        // A switch of ASP.NET Core's makes the framework set them itself, with the path; then they stand.
        if (activity.GetTagItem(Tags.RequestMethod) is null)
        {
            activity.SetTag(Tags.RequestMethod, method);
            activity.SetTag("url.scheme", context.Request.Scheme);
            activity.SetTag("network.protocol.version", VersionOf(context.Request.Protocol));
        }

        if (route is not null && activity.GetTagItem(Route) is null)
        {
            activity.SetTag(Route, route);
        }

        activity.DisplayName = route is null ? method : $"{method} {route}";
        activity.SetTag(Tags.ResponseStatus, request.StatusCode);
        activity.SetTag(Tags.Disposition, request.Disposition);
        if (request.StatusCode >= StatusCodes.Status500InternalServerError && activity.Status == ActivityStatusCode.Unset)
        {
            activity.SetStatus(ActivityStatusCode.Error);
        }
    }

    private static string VersionOf(string protocol) =>
        HttpProtocol.IsHttp11(protocol) ? "1.1"
        : HttpProtocol.IsHttp2(protocol) ? "2"
        : HttpProtocol.IsHttp3(protocol) ? "3"
        : "1.0";
}
