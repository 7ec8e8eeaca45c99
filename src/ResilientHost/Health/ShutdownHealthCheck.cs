using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResilientHost.Shutdown;

namespace ResilientHost.Health;

/// <summary>Unhealthy from the moment the host is asked to stop, so that nobody sends it new requests.</summary>
internal sealed class ShutdownHealthCheck(ShutdownSequence shutdown) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(shutdown.IsDraining ? HealthCheckResult.Unhealthy("The host is stopping.") : HealthCheckResult.Healthy());
}
