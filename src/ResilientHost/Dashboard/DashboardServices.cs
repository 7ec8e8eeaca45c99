using Microsoft.Extensions.Hosting;
using ResilientHost.History;

namespace ResilientHost.Dashboard;

/// <summary>What the endpoints of status, dashboard and operations answer by.</summary>
internal sealed record DashboardServices(
    ResilienceStatusReader Status,
    HistoryRecorder History,
    HistoryAnswers HistoryAnswers,
    StatusStreams Streams,
    ConfigurationReader Configuration,
    LevelOperation Level,
    CircuitOperation Circuits,
    OperationGuard Guard,
    OperationAttempts Attempts,
    IHostEnvironment? Environment = null)
{
    public bool IsDevelopment => Environment?.IsDevelopment() == true;
}
