using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Dashboard;
using ResilientHost.Degradation;

namespace ResilientHost.Pipeline;

/// <summary>Finds layers that were asked for and would not be applied, at start where possible, and refuses to start.</summary>
internal sealed partial class PipelinePlacement(
    EndpointSources endpoints,
    CircuitBreakerRegistry circuitBreakers,
    BulkheadRegistry bulkheads,
    EndpointFallbacksFactory fallbacks,
    DegradationControl degradation,
    ILogger<PipelinePlacement> logger,
    IHostEnvironment? environment = null)
{
    private const string Place = "app.UseResilienceLayers() after UseRouting, UseCors, UseAuthentication, UseAuthorization, UseRateLimiter and UseOutputCache, and before the endpoints run";

    private int _saidTooLate;

    /// <summary>How often <c>UseResilienceLayers()</c> has put the layers into the pipeline and its branches.</summary>
    public int Entrances { get; set; }

    /// <summary>Checks every mapped endpoint against configuration and the pipeline.</summary>
    /// <exception cref="InvalidOperationException">A layer that an endpoint asks for cannot be applied. Lists every such endpoint.</exception>
    public void Check()
    {
        var errors = new List<string>();
        var idle = new List<string>();
        foreach (var (endpoint, key) in endpoints.Keys)
        {
            CheckLayers(endpoint, key, errors, idle);
            CheckOperations(endpoint, errors);
            if (endpoint.Metadata.GetMetadata<ICriticalityMetadata>() is not null)
            {
                degradation.EndpointsSayCriticality = true;
            }
        }

        if (errors.Count > 0)
        {
            // One call may map several endpoints, about which there is one thing to say.
            throw new InvalidOperationException($"Resilience layers cannot be applied as asked:{Environment.NewLine}- {string.Join($"{Environment.NewLine}- ", errors.Distinct(StringComparer.Ordinal))}");
        }

        if (idle.Count > 0)
        {
            LogIdleStaleFallbacks(logger, string.Join(", ", idle));
        }
    }

    /// <summary>The endpoint was unknown when the layers were entered, and known afterwards: routing ran behind them.</summary>
    /// <returns><paramref name="work"/>; in Development a task that fails once that work, which cannot be called back, has ended.</returns>
    public Task RoutedTooLate(HttpContext context, Endpoint endpoint, Task work)
    {
        // A middleware between us and the endpoint that runs the pipeline again for an error page also ends up here.
        if (context.Features.Get<IStatusCodeReExecuteFeature>() is not null || context.Features.Get<IExceptionHandlerFeature>() is not null)
        {
            return work;
        }

        if (environment?.IsDevelopment() == true)
        {
            return FailAfterAsync(work, endpoint);
        }

        if (Interlocked.Exchange(ref _saidTooLate, 1) == 0)
        {
            LogRoutedTooLate(logger, endpoint.DisplayName);
        }

        return work;
    }

    private static async Task FailAfterAsync(Task work, Endpoint endpoint)
    {
        await work;
        throw new InvalidOperationException($"Endpoint '{endpoint.DisplayName}' ran without its resilience layers, because UseRouting() comes after UseResilienceLayers(). Call {Place}.");
    }

    private void CheckLayers(Endpoint endpoint, string key, List<string> errors, List<string> idle)
    {
        var layers = EndpointLayers.Read(endpoint.Metadata);
        if (!layers.AsksForLayers)
        {
            return;
        }

        var name = endpoint.DisplayName ?? EndpointKey.Plain(endpoint);
        if (Entrances == 0)
        {
            errors.Add($"Endpoint '{name}' asks for resilience layers, but the pipeline has none. Call {Place}.");
        }

        if (IsShortCircuited(endpoint))
        {
            errors.Add($"Endpoint '{name}' asks for resilience layers, but routing runs it by .ShortCircuit() before they are reached. Take one of the two away, for a member of a group by .DisableResilience().");
        }

        if (layers.Timeout is { } timeout && EndpointTimeout.Error(timeout) is { } error)
        {
            errors.Add($"Endpoint '{name}' {error}.");
        }

        fallbacks.Check(endpoint, key, layers, layers.CircuitBreaker is { } circuit && circuitBreakers.TryGet(circuit, out var named) ? named : null, errors, idle);
        CheckName(layers.CircuitBreaker, circuitBreakers.Names, "circuit breaker", "Resilience:CircuitBreakers");
        CheckName(layers.Bulkhead, bulkheads.Names, "bulkhead", "Resilience:Bulkheads");

        void CheckName(string? asked, IReadOnlyCollection<string> known, string kind, string section)
        {
            if (asked is not null && !known.Contains(asked, StringComparer.OrdinalIgnoreCase))
            {
                var there = known.Count == 0 ? "there are none" : string.Join(", ", known.Order(StringComparer.OrdinalIgnoreCase).Select(other => $"'{other}'"));
                errors.Add($"Endpoint '{name}' names the {kind} '{asked}', which {section} does not have. Names there: {there}.");
            }
        }
    }

    // By name: the metadata is routing's own secret.
    private static bool IsShortCircuited(Endpoint endpoint) => endpoint.Metadata.Any(static item => item.GetType() is { Name: "ShortCircuitMetadata", Namespace: "Microsoft.AspNetCore.Routing" or "Microsoft.AspNetCore.Routing.ShortCircuit" });

    private void CheckOperations(Endpoint endpoint, List<string> errors)
    {
        if (environment?.IsDevelopment() == true || endpoint.Metadata.GetMetadata<OperationsEndpointMetadata>() is not { } operations)
        {
            return;
        }

        var isOpen = endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null;
        var isGuarded = OperationGuard.HasPolicy(endpoint);
        if (operations.Operates && (isOpen || !isGuarded))
        {
            errors.Add($"{operations.Call} changes how the service behaves and needs to know who does. Add .RequireAuthorization(\"policy\"){(isOpen ? " in place of .AllowAnonymous()" : "")}.");
        }
        else if (!isOpen && !isGuarded)
        {
            errors.Add($"{operations.Call} shows the inside of the service to anyone. Add .RequireAuthorization(\"policy\"), or .AllowAnonymous() if that is meant.");
        }
    }

    [LoggerMessage(Telemetry.EventIds.Pipeline + 0, LogLevel.Error, "Endpoint '{Endpoint}' and others run without their resilience layers, because UseRouting() comes after UseResilienceLayers(). Call " + Place + ".")]
    private static partial void LogRoutedTooLate(ILogger logger, string? endpoint);

    [LoggerMessage(Telemetry.EventIds.Pipeline + 1, LogLevel.Warning, "A stale fallback keeps and gives nothing here: {Endpoints}.")]
    private static partial void LogIdleStaleFallbacks(ILogger logger, string endpoints);
}
