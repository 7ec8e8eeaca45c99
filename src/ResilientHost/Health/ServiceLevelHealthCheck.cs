using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ResilientHost.Health;

/// <summary>Degraded while the service gives less than everything. Never unhealthy: what is shed here would only come down on the other replicas.</summary>
internal sealed class ServiceLevelHealthCheck(IServiceLevel level) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(level.Current is not ServiceLevel.Normal and var current ? HealthCheckResult.Degraded($"The service level is {current}.") : HealthCheckResult.Healthy());
}
