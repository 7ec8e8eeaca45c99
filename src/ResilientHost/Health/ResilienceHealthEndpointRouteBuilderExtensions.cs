using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost;
using ResilientHost.Health;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps health for whoever runs the process and whoever sends it requests.</summary>
public static class ResilienceHealthEndpointRouteBuilderExtensions
{
    /// <summary>Maps <c>GET {path}/live</c> and <c>GET {path}/ready</c>.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="path">Path under which the two live. Default: <c>/health</c>.</param>
    /// <returns>A builder for the conventions of both.</returns>
    /// <remarks>
    /// <para><c>live</c> runs no check: it answers as long as the process answers. Restarting is for a process that cannot; nothing that a dependency does may cause it.</para>
    /// <para>
    /// <c>ready</c> runs every registered health check: the application's, and the suite's. <c>Healthy</c> and <c>Degraded</c> are 200, <c>Unhealthy</c> is 503. Of the suite's an open circuit, a service level above normal, and trouble with workers
    /// or isolated tasks only degrade: an open circuit is the same on every replica, and readiness must not take all of them out of service. A circuit with <see cref="CircuitBreakerOptions.AffectsReadiness"/> is the exception.
    /// From the moment the host is asked to stop it is <c>Unhealthy</c>, at once and without asking any check. Checks that have not ended after 10 s are <c>Unhealthy</c>, too; further probes wait for the same ones.
    /// </para>
    /// <para>
    /// Both answer one word, to anyone, unless <c>RequireAuthorization</c> says otherwise, and are never turned down. They are plain ASP.NET Core health checks: endpoints and publishers that
    /// the application has already see the same.
    /// </para>
    /// </remarks>
    /// <exception cref="InvalidOperationException"><c>AddResilienceLayers()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapResilienceHealth(this IEndpointRouteBuilder endpoints, string path = "/health")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(path);
        if (endpoints.ServiceProvider.GetService<ReadinessEndpoint>() is not { } readiness)
        {
            throw new InvalidOperationException("MapResilienceHealth() needs the services of the layers. Call builder.AddResilienceLayers() before builder.Build().");
        }

        var prefix = path.TrimEnd('/');
        RequestDelegate ready = readiness.InvokeAsync;
        var both = new HealthEndpoints(
            endpoints.MapHealthChecks($"{prefix}/live", new HealthCheckOptions { Predicate = static _ => false }),

            // The layers know health checks by the name that the framework gives them.
            endpoints.Map($"{prefix}/ready", ready).WithDisplayName("Health checks"));

        // Probes carry no identity: a fallback policy must not fail them. What the application asks for itself stands.
        both.Finally(static builder =>
        {
            if (!builder.Metadata.Any(static item => item is IAuthorizeData or AuthorizationPolicy or IAllowAnonymous))
            {
                builder.Metadata.Add(new AllowAnonymousAttribute());
            }
        });
        return both;
    }
}
