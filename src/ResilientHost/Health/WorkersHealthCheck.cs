using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ResilientHost.Health;

/// <summary>Degraded while a worker is stuck, failed, or has left runs behind. Never unhealthy: requests are still served.</summary>
internal sealed class WorkersHealthCheck(WorkerRegistry workers) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var troubled = workers.All
            .Where(static worker => worker.State is WorkerState.Stuck or WorkerState.Failed || worker.Abandoned > 0)
            .Select(static worker => worker.State is WorkerState.Stuck or WorkerState.Failed
                ? $"'{worker.Name}' is {(worker.State == WorkerState.Stuck ? "stuck" : "failed")}"
                : $"'{worker.Name}' has left {worker.Abandoned} run(s) behind")
            .ToList();
        return Task.FromResult(troubled.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded($"Workers: {string.Join(", ", troubled)}."));
    }
}
