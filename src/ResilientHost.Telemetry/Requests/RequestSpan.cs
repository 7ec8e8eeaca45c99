using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using ResilientHost.Pipeline;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Telemetry.Requests;

/// <summary>Describes the framework's span of a request by OpenTelemetry's names: of itself it has none of them.</summary>
internal static class RequestSpan
{
    private const string Route = "http.route";

    // The conventions' word in a span's name for a method that nobody knows.
    private const string AnyMethod = "HTTP";

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

        var verb = method == RequestLog.OtherMethod ? AnyMethod : method;
        activity.DisplayName = route is null ? verb : $"{verb} {route}";
        activity.SetTag(Tags.ResponseStatus, request.StatusCode);
        activity.SetTag(Tags.Disposition, request.Disposition);
        if (request.StatusCode < StatusCodes.Status500InternalServerError)
        {
            return;
        }

        if (activity.GetTagItem(Tags.ErrorType) is null)
        {
            activity.SetTag(Tags.ErrorType, request.StatusCode.ToString(CultureInfo.InvariantCulture));
        }

        if (activity.Status == ActivityStatusCode.Unset)
        {
            activity.SetStatus(ActivityStatusCode.Error);
        }
    }

    /// <summary>Keeps a span from being exported. Of its children, which began and ended before, it was decided then.</summary>
    public static void LeaveOut(Activity activity) => activity.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;

    private static string VersionOf(string protocol) =>
        HttpProtocol.IsHttp11(protocol) ? "1.1"
        : HttpProtocol.IsHttp2(protocol) ? "2"
        : HttpProtocol.IsHttp3(protocol) ? "3"
        : "1.0";
}
