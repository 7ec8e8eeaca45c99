using System.Diagnostics;
using FailureDrill.Load;
using FailureDrill.Plants;
using FailureDrill.Plants.Service;
using FailureDrill.Processes;

namespace FailureDrill.Drills;

/// <summary>The process is asked to stop, as at every deployment, while requests are under way and accepted items wait.</summary>
internal sealed class StoppedUnderLoad : PlantDrill
{
    // So fast that some still wait when the last request is answered: they are packed all the while.
    private const int OrdersPerSecond = 400;

    // The start of what runs the process, and its end, come on top of what the host may take.
    private static readonly TimeSpan EndLimit = PlantService.ShutdownTimeout + TimeSpan.FromSeconds(2);

    public override string Name => "sigterm";

    public override string Failure => "the process is asked to stop (SIGTERM) under load";

    public override IReadOnlyList<string> MustHold =>
    [
        "readiness turns to 503 first; whoever was sent here until then is answered",
        "every order that was answered with 202 is packed, then or after the restart",
        "it ends in time, with exit code 0",
    ];

    protected override async Task RunAsync(Plant plant, Findings findings, CancellationToken cancellationToken)
    {
        LoadResult ordered, toured;
        bool ended;
        var readiness = new ReadinessWatch(plant.Address);
        using (var callers = new Customers(plant.Address, patience: TimeSpan.FromSeconds(6)))
        using (var visitors = new Customers(plant.Address, patience: TimeSpan.FromSeconds(6)))
        {
            var watching = readiness.WatchAsync(LongestRush, cancellationToken);
            var ordering = OrderAsync(callers, OrdersPerSecond, _ => !watching.IsCompleted, cancellationToken);
            var touring = LoadGenerator.RunWhileAsync(visitors, new LoadPlan([PlantRequests.Tours], PerSecond: 20), _ => !watching.IsCompleted, cancellationToken);
            await Task.Delay(Rush, cancellationToken);

            var asked = Stopwatch.GetTimestamp();
            await plant.TerminateAsync(cancellationToken);
            ended = await plant.WaitForEndAsync(EndLimit, cancellationToken);
            findings.Measure("endedAfterMs", ended ? Math.Round(Stopwatch.GetElapsedTime(asked).TotalMilliseconds) : -1);
            await Task.WhenAll(watching, ordering, touring);
            (ordered, toured) = (await ordering, await touring);
        }

        var all = new LoadResult([.. ordered.Answers, .. toured.Answers]);
        var unanswered = all.Where(answer => answer.Status is not (200 or 202));
        findings.RecordCallers(all);
        findings.Measure("exitCode", plant.ExitCode ?? -1);
        findings.Measure("readiness", readiness.LastAnswer);
        findings.Expect(Whom.Process, "says that it is not ready before it is gone", readiness.HasTurned, $"asked for the last time: {readiness.LastAnswer}");
        findings.Expect(Whom.Callers, "who were sent here while it was ready are answered", unanswered.Count == 0, Tell(unanswered));
        findings.Expect(Whom.Callers, "have long requests under way when it is asked to stop", toured.Count > 0, "none was");
        findings.Expect(Whom.Process, "ends in time", ended, $"not within {EndLimit.TotalSeconds} s");
        findings.Expect(Whom.Process, "ends with exit code 0", plant.ExitCode == 0, $"it was {plant.ExitCode}");
        await JudgeBacklogAsync(plant, findings, ordered, cancellationToken);
    }

    private static string Tell(LoadResult answers) => string.Join(", ", answers.Kinds.Select(kind => $"{kind.Value} × {kind.Key}"));
}
