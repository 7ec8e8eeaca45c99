using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ResilientHost.Health;

/// <summary>Degraded while a circuit refuses all calls; unhealthy while one does that the instance is not ready without.</summary>
/// <remarks>
/// A circuit that is half-open again does not count: no probe would come to an instance that takes no requests. Nor do circuits of callers: one tenant's trouble is no instance's.
/// </remarks>
internal sealed class CircuitsHealthCheck(CircuitBreakerRegistry circuits) : IHealthCheck
{
    private const int MaxNames = 5;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var open = circuits.All.Where(IsRefusing).Select(static breaker => (breaker.Name, breaker.Policy.AffectsReadiness)).OrderBy(static circuit => circuit.Name, StringComparer.Ordinal).ToList();
        if (open.Count == 0)
        {
            return Task.FromResult(HealthCheckResult.Healthy());
        }

        var needed = open.Where(static circuit => circuit.AffectsReadiness).ToList();
        return Task.FromResult(needed.Count > 0
            ? new HealthCheckResult(context.Registration?.FailureStatus ?? HealthStatus.Unhealthy, $"Circuits that readiness depends on are open: {Names(needed)}.")
            : HealthCheckResult.Degraded($"Circuits are open: {Names(open)}."));
    }

    private static bool IsRefusing(CircuitBreaker breaker)
    {
        if (breaker.Policy.Mode is not (CircuitMode.Enforce or CircuitMode.ForcedOpen))
        {
            return false;
        }

        if (IsOpen(breaker.State))
        {
            return true;
        }

        // An HTTP client's circuits are those of its authorities.
        return breaker is { Partitions: { } partitions, Policy.Partition: null } && (IsOpen(partitions.Other.State) || partitions.IsAnyOpen());
    }

    private static bool IsOpen(CircuitState state) => state is CircuitState.Open or CircuitState.Isolated;

    private static string Names(List<(string Name, bool AffectsReadiness)> circuits) =>
        string.Join(", ", circuits.Take(MaxNames).Select(static circuit => $"'{circuit.Name}'")) + (circuits.Count > MaxNames ? $" and {circuits.Count - MaxNames} more" : "");
}
