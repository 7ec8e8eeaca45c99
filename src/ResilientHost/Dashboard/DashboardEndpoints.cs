using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Dashboard.Page;
using ResilientHost.Pipeline;

namespace ResilientHost.Dashboard;

/// <summary>Maps the endpoints of the dashboard, and those of operations.</summary>
/// <remarks>What the application maps by itself (also <c>MapResilienceStatus</c>, <c>MapResilienceOperations</c>) beats what the dashboard maps along: <see cref="YieldingEndpoints"/>.</remarks>
internal static class DashboardEndpoints
{
    // An output cache in front would hand one user's answer to the next.
    private static readonly OutputCacheAttribute NeverCached = new() { NoStore = true };

    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints, string path, DashboardServices services)
    {
        services.History.IsWanted = true;
        var prefix = path.TrimEnd('/');
        var along = new OperationsEndpointMetadata($"MapResilienceDashboard(\"{path}\")", Yields: true);
        var group = endpoints.MapGroup(prefix);
        var reading = group.MapGroup("");
        MapStatus(reading, services);
        DashboardPage.Map(reading, path, services);
        Get(reading, "/events", "Resilience events", services.Streams.InvokeAsync)
            .DisableRequestTimeout()
            .DisableHttpMetrics();
        Get(reading, "/history", "Resilience history", context => services.HistoryAnswers.WriteAsync(context, NamesCallers(context, services)));
        Get(reading, "/configuration", "Resilience configuration", context =>
            WriteAsync(context, services.Configuration.Read(NamesCallers(context, services)), ConfigurationStatusJson.Default.ConfigurationStatus));
        Get(reading, "/openapi.json", "Resilience API description", OpenApiDescription.WriteAsync);
        MarkAsOurs(reading, along);
        if (services.IsDevelopment)
        {
            MapOperations(group, services, along);
        }

        return group;
    }

    /// <summary>Maps <c>GET /status</c> alone.</summary>
    public static IEndpointConventionBuilder MapStatus(IEndpointRouteBuilder endpoints, DashboardServices services) =>
        Get(endpoints, "/status", "Resilience status", context =>
            WriteAsync(context, services.Status.Read(NamesCallers(context, services)), ResilienceStatusJson.Default.ResilienceStatus));

    /// <summary>Maps everything that operates.</summary>
    public static IEndpointConventionBuilder MapOperations(IEndpointRouteBuilder endpoints, DashboardServices services, OperationsEndpointMetadata mark)
    {
        services.Attempts.AreExpected = true;
        var group = endpoints.MapGroup("");
        Post(OperationNames.LevelPath, "Resilience service level", OperationNames.Level, services.Level.InvokeAsync);
        Post("/circuit-breakers/isolate", "Resilience circuit isolation", OperationNames.Isolate, services.Circuits.IsolateAsync);
        Post("/circuit-breakers/reset", "Resilience circuit reset", OperationNames.Reset, services.Circuits.ResetAsync);
        Post("/circuit-breakers/force-open", "Resilience forced opening", OperationNames.ForceOpen, services.Circuits.ForceOpenAsync);
        return group;

        void Post(string path, string name, string operation, RequestDelegate operate)
        {
            RequestDelegate guarded = context => services.Guard.InvokeAsync(context, operation, operate);
            MarkAsOurs(group.MapPost(path, guarded).WithDisplayName(name), mark with { Operation = operation });
        }
    }

    /// <summary>Marks endpoints as ours: exempt from the layers, checked at start, in no description of the application's own API, and in no cache.</summary>
    public static void MarkAsOurs(IEndpointConventionBuilder endpoints, OperationsEndpointMetadata mark) =>
        endpoints.WithMetadata(mark, NeverCached).ExcludeFromDescription();

    /// <summary>Whether a request is told keys, which may be tenants' names or addresses, and texts.</summary>
    public static bool NamesCallers(HttpContext context, DashboardServices services) =>
        services.IsDevelopment || context.User.Identity is { IsAuthenticated: true };

    private static IEndpointConventionBuilder Get(IEndpointRouteBuilder endpoints, string path, string name, RequestDelegate answer) =>
        endpoints.MapGet(path, answer).WithDisplayName(name);

    private static Task WriteAsync<T>(HttpContext context, T answer, JsonTypeInfo<T> json)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, json, cancellationToken: context.RequestAborted);
    }
}
