using FailureDrill.Workshops;

namespace FailureDrill.Drills;

/// <summary>One endpoint needs a processor for 400 ms; a few callers are enough to keep all of them busy.</summary>
internal sealed class CpuHog : WorkshopDrill
{
    public override string Name => "cpu-hog";

    public override string Failure => "an endpoint that can wait burns every processor";

    public override IReadOnlyList<string> MustHold =>
    [
        "99.9 % of what is critical is answered within the callers' deadline",
        "what can wait is turned down with 503 shed and Retry-After",
        "afterwards everything is offered again, by itself",
    ];

    protected override async Task RunAsync(Workshop workshop, Findings findings, CancellationToken cancellationToken)
    {
        // Nearly five times what the processors can do.
        var rush = new Rush([WorkshopRequests.Posters], PerSecond: 12 * Environment.ProcessorCount, OrdersPerSecond: 80, TimeSpan.FromSeconds(3.5));
        var rushed = await RushAsync(workshop, findings, rush, cancellationToken);
        JudgeShedding(findings, rushed);
        await JudgeRecoveryAsync(workshop, findings, WorkshopRequests.Posters, cancellationToken);
    }
}
