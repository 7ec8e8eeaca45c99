using FailureDrill.Load;
using FailureDrill.Plants;

namespace FailureDrill.Drills;

/// <summary>The process is killed while it works through what it has accepted.</summary>
internal sealed class KilledProcess : PlantDrill
{
    // Faster than they are packed.
    private const int OrdersPerSecond = 150;

    public override string Name => "kill";

    public override string Failure => "the process is killed (kill -9) with items waiting";

    public override IReadOnlyList<string> MustHold =>
    [
        "every order that was answered with 202 is packed, then or after the restart",
        "none is lost, and none is among the dead letters",
    ];

    protected override async Task RunAsync(Plant plant, Findings findings, CancellationToken cancellationToken)
    {
        LoadResult ordered;
        using (var callers = new Customers(plant.Address))
        {
            var ordering = OrderAsync(callers, OrdersPerSecond, elapsed => plant.IsAlive && elapsed < LongestRush, cancellationToken);
            await Task.Delay(Rush, cancellationToken);
            plant.Kill();
            ordered = await ordering;
        }

        findings.RecordCallers(ordered);
        await JudgeBacklogAsync(plant, findings, ordered, cancellationToken);
    }
}
