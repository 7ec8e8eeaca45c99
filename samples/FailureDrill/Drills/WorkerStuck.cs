using FailureDrill.Load;
using FailureDrill.Plants;

namespace FailureDrill.Drills;

/// <summary>A worker hangs, and does not notice that it is to end.</summary>
internal sealed class WorkerStuck : PlantDrill
{
    private static readonly TimeSpan ReplaceLimit = TimeSpan.FromSeconds(5);

    public override string Name => "worker-stuck";

    public override string Failure => "a worker hangs for ever";

    public override IReadOnlyList<string> MustHold =>
    [
        "requests are answered and do not wait, and what is ordered is packed",
        "the workers beside it go on",
        "it is reported as stuck, and replaced; the run that was left behind is counted",
    ];

    protected override async Task RunAsync(Plant plant, Findings findings, CancellationToken cancellationToken)
    {
        Task<TimeSpan?> replaced = Task.FromResult<TimeSpan?>(null);
        var ordered = await AttackAsync(
            plant,
            findings,
            async () =>
            {
                await plant.Control.JamSorterAsync(cancellationToken);
                var done = (await plant.Control.ReadAsync(cancellationToken)).Sorted;

                // One pass may have been under way, and finished, as it was jammed.
                replaced = Findings.MeasureRecoveryAsync(async () => (await plant.Control.ReadAsync(cancellationToken)).Sorted > done + 3, ReplaceLimit, cancellationToken);
            },
            PlantRequests.Orders(count: 400),
            TimeSpan.FromSeconds(2.5),
            cancellationToken);
        findings.JudgeRecovery(Whom.Workers, "that hang are replaced, and work again", await replaced, ReplaceLimit);

        var states = (await plant.Control.ReadAsync(cancellationToken)).SorterStates;
        var abandoned = (await plant.Control.ReadStatusAsync(cancellationToken)).Worker("sorter")?.Abandoned ?? 0;
        findings.Measure("sorterStates", states);
        findings.Measure("abandoned", abandoned);
        findings.Expect(Whom.Workers, "that hang are reported as stuck", states.Contains("Stuck", StringComparer.Ordinal), $"it is said to be {(states.Count > 0 ? states[^1] : "unknown")}");
        findings.Expect(Whom.Workers, "that hang are left behind, and counted", abandoned == 1, $"{abandoned} are");
        await JudgeOrdersAsync(plant, findings, ordered, cancellationToken);
    }
}
