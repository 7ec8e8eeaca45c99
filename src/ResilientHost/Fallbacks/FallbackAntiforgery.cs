using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;

namespace ResilientHost.Fallbacks;

/// <summary>No fallback stands in for an endpoint that would have turned the request away for its antiforgery token: what it does in the endpoint's place, a forged request must not have done. Thread-safe.</summary>
internal static class FallbackAntiforgery
{
    // What the middleware leaves behind for the endpoint middleware, as authorization does.
    private const string MiddlewareHasRun = "__AntiforgeryMiddlewareWithEndpointInvoked";

    /// <summary>Whether the request carried a valid token, or needs none.</summary>
    /// <remarks>The middleware only notes what it has found; the endpoint looks at it when it reads the form, and a refused request never gets there.</remarks>
    public static bool Allows(HttpContext context) => context.Features.Find<IAntiforgeryValidationFeature>() is { } found
        ? found.IsValid
        : !IsNeeded(context) || context.Items.ContainsKey(MiddlewareHasRun);

    private static bool IsNeeded(HttpContext context) =>
        context.Request.Method is var method
        && (HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method))
        && context.GetEndpoint()?.Metadata.GetMetadata<IAntiforgeryMetadata>() is { RequiresValidation: true };
}
