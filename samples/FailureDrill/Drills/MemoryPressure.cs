using FailureDrill.Workshops;

namespace FailureDrill.Drills;

/// <summary>One endpoint keeps two megabytes for each call, and the heap is small.</summary>
internal sealed class MemoryPressure : WorkshopDrill
{
    public override string Name => "memory-pressure";

    public override string Failure => "an endpoint that can wait fills the heap";

    public override IReadOnlyList<string> MustHold =>
    [
        "99.9 % of what is critical is answered within the callers' deadline, and nobody meets an OutOfMemoryException",
        "what can wait is turned down with 503 shed and Retry-After, before the memory is gone",
        "afterwards everything is offered again, by itself",
    ];

    protected override WorkshopLimits Limits { get; } = new(MaxHeapBytes: 160 * 1024 * 1024);

    protected override async Task RunAsync(Workshop workshop, Findings findings, CancellationToken cancellationToken)
    {
        // Kept for three seconds, these are half as much again as there is.
        var rush = new Rush([WorkshopRequests.Albums], PerSecond: 40, OrdersPerSecond: 80, TimeSpan.FromSeconds(5));
        var rushed = await RushAsync(workshop, findings, rush, cancellationToken);
        JudgeShedding(findings, rushed);

        var failed = rushed.Where(answer => !answer.IsServed && !answer.IsRefusal("shed"));
        findings.Expect(Whom.Callers, "of what can wait are served or told to wait, and nothing else", failed.Count == 0, string.Join(", ", failed.Kinds.Select(kind => $"{kind.Value} × {kind.Key}")));
        await JudgeRecoveryAsync(workshop, findings, WorkshopRequests.Albums, cancellationToken);
    }
}
