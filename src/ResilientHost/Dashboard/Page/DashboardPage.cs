using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Dashboard.Page;

/// <summary>The page itself, and the files that it is made of.</summary>
internal static class DashboardPage
{
    // No inline script or style and nothing from elsewhere: a name that got into the page as markup would still do nothing.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps the page at the group's own path, and its files below it.</summary>
    /// <param name="group">The group of the dashboard.</param>
    /// <param name="path">The path that the dashboard was mapped with.</param>
    /// <param name="services">What the page shows.</param>
    public static void Map(IEndpointRouteBuilder group, string path, DashboardServices services)
    {
        group.MapMethods("/", Reading, context => WriteAsync(context, path, services)).WithDisplayName("Resilience dashboard");
        foreach (var asset in PageAsset.All)
        {
            group.MapMethods($"/{asset.Name}", Reading, asset.WriteAsync).WithDisplayName($"Resilience dashboard: {asset.Name}");
        }
    }

    private static async Task WriteAsync(HttpContext context, string path, DashboardServices services)
    {
        var mayOperate = await OperatorAccess.IsAllowedAsync(context, path);
        var namesCallers = DashboardEndpoints.NamesCallers(context, services);
        var html = PageTemplate.Fill(services.Status.Read(namesCallers), services.Configuration.Read(namesCallers), context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow(), BaseOf(context.Request), mayOperate);
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        await TypedResults.Text(HttpMethods.IsHead(context.Request.Method) ? "" : html, "text/html; charset=utf-8").ExecuteAsync(context);
    }

    // The page answers with and without the slash at its end. What it names is relative in either case, so that it also works behind a proxy that puts a path in front.
    private static string BaseOf(HttpRequest request)
    {
        var path = (request.PathBase + request.Path).ToUriComponent();
        var segment = path[(path.LastIndexOf('/') + 1)..];

        // A colon within the first segment would be taken for the end of a scheme.
        return segment.Length == 0 ? "" : $"./{segment}/";
    }
}
