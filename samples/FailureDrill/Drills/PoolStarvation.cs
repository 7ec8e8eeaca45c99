using FailureDrill.Workshops;

namespace FailureDrill.Drills;

/// <summary>One endpoint waits for its own asynchronous work and keeps a thread of the pool while it does.</summary>
internal sealed class PoolStarvation : WorkshopDrill
{
    public override string Name => "pool-starvation";

    public override string Failure => "an endpoint that can wait blocks the thread pool (sync over async)";

    public override IReadOnlyList<string> MustHold =>
    [
        "99.9 % of what is critical is answered within the callers' deadline",
        "what can wait is turned down with 503 shed and Retry-After",
        "afterwards everything is offered again, by itself",
    ];

    protected override async Task RunAsync(Workshop workshop, Findings findings, CancellationToken cancellationToken)
    {
        // Each keeps a thread for half a second: as many at a time as the pool makes in many seconds.
        var rush = new Rush([WorkshopRequests.Exports], PerSecond: 60, OrdersPerSecond: 80, TimeSpan.FromSeconds(3));
        var rushed = await RushAsync(workshop, findings, rush, cancellationToken);
        JudgeShedding(findings, rushed);
        await JudgeRecoveryAsync(workshop, findings, WorkshopRequests.Exports, cancellationToken);
    }
}
