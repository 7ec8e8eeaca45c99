using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResilientHost.IsolatedTasks;

namespace ResilientHost.Health;

/// <summary>Degraded while isolated tasks of a name keep growing in number.</summary>
internal sealed class IsolatedTasksHealthCheck(IsolatedTaskRunner tasks) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var leaking = tasks.Snapshot().Where(static name => name.IsLeaking).Select(static name => $"'{name.Name}' ({name.Live} live)").ToList();
        return Task.FromResult(leaking.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded($"Isolated tasks keep growing in number: {string.Join(", ", leaking)}."));
    }
}
