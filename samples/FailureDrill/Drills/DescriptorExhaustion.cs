using FailureDrill.Load;
using FailureDrill.Workshops;

namespace FailureDrill.Drills;

/// <summary>More connections are opened than the process may have file descriptors, and kept.</summary>
internal sealed class DescriptorExhaustion : WorkshopDrill
{
    private const int MaxDescriptors = 400;

    public override string Name => "descriptors";

    public override string Failure => "more connections than file descriptors";

    public override IReadOnlyList<string> MustHold =>
    [
        "who has a connection is answered all the while",
        "the process lives",
        "when the connections go, new ones are served",
    ];

    protected override WorkshopLimits Limits { get; } = new(MaxDescriptors: MaxDescriptors);

    protected override async Task RunAsync(Workshop workshop, Findings findings, CancellationToken cancellationToken)
    {
        using var customers = new Customers(workshop.Address, Patience, connections: 4);
        var orders = new LoadPlan([WorkshopRequests.Orders], PerSecond: 50);
        var calm = await LoadGenerator.RunAsync(customers, orders, TimeSpan.FromSeconds(0.5), cancellationToken);
        using (var idle = new IdleConnections())
        {
            var ordering = LoadGenerator.RunAsync(customers, orders, TimeSpan.FromSeconds(4), cancellationToken);
            await idle.OpenAsync(workshop.Address, MaxDescriptors, TimeSpan.FromSeconds(1.5), cancellationToken);
            findings.JudgeCritical(calm, await ordering);
            findings.RecordCallers(await ordering);
        }

        await JudgeRecoveryAsync(workshop, findings, WorkshopRequests.Previews, cancellationToken);
    }
}
