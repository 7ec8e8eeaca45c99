using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResilientHost.Workers;

namespace ResilientHost.Health;

/// <summary>Degraded once the process has contained an exception that nothing caught: it may hold locks and half-changed state for ever.</summary>
internal sealed class ProcessHealthCheck(InstanceTaint taint) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(taint.IsTainted
            ? HealthCheckResult.Degraded("The process has contained an exception that nothing caught. Replace it at a quiet hour.")
            : HealthCheckResult.Healthy());
}
