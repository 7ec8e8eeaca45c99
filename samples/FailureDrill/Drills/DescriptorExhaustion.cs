using FailureDrill.Load;
using FailureDrill.Workshops;

namespace FailureDrill.Drills;

/// <summary>More connections are opened than the process may have file descriptors, and kept.</summary>
internal sealed class DescriptorExhaustion : WorkshopDrill
{
    private const int MaxDescriptors = 400;

    // With connections of their own, opened before.
    private const int Callers = 8;

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
        using var callers = new Customers(workshop.Address, Patience, Callers);
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => callers.SendAsync(WorkshopRequests.Prints, cancellationToken)));
        using (var idle = new IdleConnections())
        {
            var ordering = LoadGenerator.RunAsync(customers, orders, TimeSpan.FromSeconds(4), cancellationToken);
            await idle.OpenAsync(workshop.Address, MaxDescriptors, TimeSpan.FromSeconds(1.5), cancellationToken);

            // Work that needs another thread, which takes two descriptors to make.
            var exports = new LoadPlan([WorkshopRequests.Exports], PerSecond: 20);
            findings.RecordCallers(await LoadGenerator.RunAsync(callers, exports, TimeSpan.FromSeconds(2), cancellationToken));
            findings.JudgeCritical(calm, await ordering);
        }

        await JudgeRecoveryAsync(workshop, findings, WorkshopRequests.Previews, cancellationToken);
    }
}
