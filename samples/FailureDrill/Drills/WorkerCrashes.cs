using FailureDrill.Load;
using FailureDrill.Plants;

namespace FailureDrill.Drills;

/// <summary>A background service throws, again and again.</summary>
internal sealed class WorkerCrashes : PlantDrill
{
    private const int LeastRestarts = 3;
    private static readonly TimeSpan RepairLimit = TimeSpan.FromSeconds(8);

    public override string Name => "worker-crashes";

    public override string Failure => "a background service throws again and again";

    public override IReadOnlyList<string> MustHold =>
    [
        "requests are answered and do not wait, and what is ordered is packed",
        "the workers beside it go on, and so does the process",
        "it is started again each time, and works once it is repaired",
    ];

    protected override async Task RunAsync(Plant plant, Findings findings, CancellationToken cancellationToken)
    {
        var ordered = await AttackAsync(
            plant, findings, () => plant.Control.TearConveyorAsync(cancellationToken), PlantRequests.Orders(count: 400), TimeSpan.FromSeconds(2), cancellationToken);
        await JudgeOrdersAsync(plant, findings, ordered, cancellationToken);
        if (!plant.IsAlive)
        {
            return;
        }

        var restarts = (await plant.Control.ReadStatusAsync(cancellationToken)).Worker("Conveyor")?.Restarts ?? 0;
        findings.Measure("restarts", restarts);
        findings.Expect(Whom.Workers, "that fail are started again each time", restarts >= LeastRestarts, $"{restarts} times");

        await plant.Control.RepairConveyorAsync(cancellationToken);
        var done = (await plant.Control.ReadAsync(cancellationToken)).Conveyed;
        var recovered = await Findings.MeasureRecoveryAsync(async () => (await plant.Control.ReadAsync(cancellationToken)).Conveyed > done + 20, RepairLimit, cancellationToken);
        findings.JudgeRecovery(Whom.Workers, "that fail work again after the repair", recovered, RepairLimit);
    }
}
