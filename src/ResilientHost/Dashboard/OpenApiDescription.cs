using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace ResilientHost.Dashboard;

/// <summary><c>GET openapi.json</c>: what the endpoints take and give, for tools.</summary>
internal static class OpenApiDescription
{
    /// <summary>Name of the embedded document.</summary>
    public const string Resource = "ResilientHost.Dashboard.openapi.json";

    private const string Path = "/openapi.json";

    // What stands in the document for where it is served: the application decides, and its path base.
    private const string ServerUrl = "\"/resilience\"";

    private static readonly Lazy<string> Document = new(static () =>
    {
        using var stream = typeof(OpenApiDescription).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    });

    public static Task WriteAsync(HttpContext context)
    {
        var url = (context.Request.PathBase + context.Request.Path).ToUriComponent();
        var server = url.EndsWith(Path, StringComparison.OrdinalIgnoreCase) ? url[..^Path.Length] : url;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.WriteAsync(Document.Value.Replace(ServerUrl, $"\"{JsonEncodedText.Encode(server.Length == 0 ? "/" : server)}\"", StringComparison.Ordinal), context.RequestAborted);
    }
}
