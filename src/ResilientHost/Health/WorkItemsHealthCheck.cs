using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResilientHost.WorkItems;

namespace ResilientHost.Health;

/// <summary>Degraded while a processing takes no further items, because its dead letters cannot be kept.</summary>
internal sealed class WorkItemsHealthCheck(WorkItemMetrics items) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var blocked = items.Blocked.Select(static processing => $"'{processing.Processing}' of worker '{processing.Worker}'").ToList();
        return Task.FromResult(blocked.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded($"Dead letters cannot be kept, and no further items are taken: {string.Join(", ", blocked)}."));
    }
}
