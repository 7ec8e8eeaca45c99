using FailureDrill.Load;
using FailureDrill.Plants;

namespace FailureDrill.Drills;

/// <summary>Some of what is ordered can never be processed.</summary>
internal sealed class PoisonItems : PlantDrill
{
    public override string Name => "poison-items";

    public override string Failure => "some items cannot be processed, ever";

    public override IReadOnlyList<string> MustHold =>
    [
        "every other item that was accepted is processed",
        "each poison item is among the dead letters, and nothing else is",
        "requests are answered and do not wait, the workers beside go on, and so does the process",
    ];

    protected override async Task RunAsync(Plant plant, Findings findings, CancellationToken cancellationToken)
    {
        var ordered = await AttackAsync(
            plant, findings, () => Task.CompletedTask, PlantRequests.Orders(count: 400, poisonEvery: 20), TimeSpan.FromSeconds(2), cancellationToken);
        await JudgeOrdersAsync(plant, findings, ordered, cancellationToken);

        var poison = ordered.Answers.Where(answer => answer.Status == 202).Select(answer => PlantRequests.OrderOf(answer.Request)).Where(order => order.IsPoison).ToList();
        var dead = (await plant.ReadOrdersAsync(cancellationToken)).Dead;
        var kept = poison.Count(order => dead.Contains(order.Id, StringComparer.Ordinal));
        findings.Measure("poison", poison.Count);
        findings.Expect(Whom.Callers, "leave some poison", poison.Count > 0, "none was accepted");
        findings.Expect(Whom.Workers, "keep each poison item for people to see", kept == poison.Count, $"{kept} of {poison.Count} are kept");
    }
}
