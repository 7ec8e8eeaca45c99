using System.Diagnostics;
using FailureDrill.Load;
using FailureDrill.Plants;
using FailureDrill.Processes;
using ResilientHost;

namespace FailureDrill.Drills;

/// <summary>A background service that the process cannot do without fails however often it is started.</summary>
internal sealed class RestartStorm : PlantDrill
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(8);

    public override string Name => "restart-storm";

    public override string Failure => "a background service fails however often it is started";

    public override IReadOnlyList<string> MustHold =>
    [
        "it is given up, and the process ends within seconds",
        "with exit code 70, so that whoever runs the process knows that it failed",
        "requests are answered until then: readiness turns to 503 first",
    ];

    protected override async Task RunAsync(Plant plant, Findings findings, CancellationToken cancellationToken)
    {
        using var customers = new Customers(plant.Address);
        var neighbourhood = new LoadPlan([PlantRequests.Quotes], PerSecond: 60);
        var calm = await LoadGenerator.RunAsync(customers, neighbourhood, TimeSpan.FromSeconds(0.3), cancellationToken);

        var readiness = new ReadinessWatch(plant.Address);
        var watching = readiness.WatchAsync(EndLimit, cancellationToken);
        var neighbours = LoadGenerator.RunWhileAsync(customers, neighbourhood, _ => !watching.IsCompleted, cancellationToken);
        await plant.Control.BreakBoilerAsync(cancellationToken);
        var started = Stopwatch.GetTimestamp();
        var ended = await plant.WaitForEndAsync(EndLimit, cancellationToken);
        var elapsed = Stopwatch.GetElapsedTime(started);
        await Task.WhenAll(neighbours, watching);

        findings.JudgeNeighbours(calm, await neighbours);
        findings.Measure("endedAfterMs", ended ? Math.Round(elapsed.TotalMilliseconds) : -1);
        findings.Measure("exitCode", plant.ExitCode ?? -1);
        findings.Measure("readiness", readiness.LastAnswer);
        findings.Expect(Whom.Process, "says that it is not ready before it is gone", readiness.HasTurned, $"asked for the last time: {readiness.LastAnswer}");
    }

    // Here the process is not to live: it is of no use without its boiler, and has to say so to whoever runs it.
    protected override void JudgeEnd(Plant plant, Findings findings)
    {
        findings.Expect(Whom.Process, "ends within seconds", !plant.IsAlive, "it lives");
        findings.Expect(
            Whom.Process, $"ends with exit code {ResilienceDiagnostics.GaveUpExitCode}", plant.ExitCode == ResilienceDiagnostics.GaveUpExitCode, $"it ended with {plant.ExitCode}");
    }
}
