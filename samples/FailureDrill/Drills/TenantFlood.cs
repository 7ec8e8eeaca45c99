using FailureDrill.Load;
using FailureDrill.Workshops;

namespace FailureDrill.Drills;

/// <summary>Four tenants share an endpoint; one of them asks for three times what it can do.</summary>
internal sealed class TenantFlood : WorkshopDrill
{
    private const int FloodPerSecond = 300;
    private const double FairPerSecond = 25;

    // Shares follow what each tenant has wanted lately; when the flood sets in, some still find no room.
    private const double QuietSuccess = 0.90;
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(2);

    private static readonly Request Loud = WorkshopRequests.Prints with { Tenant = "loud" };
    private static readonly Request[] Quiet = [.. new[] { "ada", "bob", "cy" }.Select(name => WorkshopRequests.Prints with { Tenant = name })];

    public override string Name => "tenant-flood";

    public override string Failure => "one of four tenants floods an endpoint";

    public override IReadOnlyList<string> MustHold =>
    [
        "the other tenants are answered and do not wait",
        "the flooding tenant gets what the others leave, and 429 for what is beyond",
        "alone it gets everything",
    ];

    protected override async Task RunAsync(Workshop workshop, Findings findings, CancellationToken cancellationToken)
    {
        using var customers = new Customers(workshop.Address, TimeSpan.FromSeconds(1.5));
        using var callers = new Customers(workshop.Address, TimeSpan.FromSeconds(1.5));
        var duration = TimeSpan.FromSeconds(3);
        var tenants = new LoadPlan(Quiet, PerSecond: 45);

        // What they usually want is known by then.
        var calm = await LoadGenerator.RunAsync(customers, tenants, TimeSpan.FromSeconds(2), cancellationToken);

        var others = LoadGenerator.RunAsync(customers, tenants, duration, cancellationToken);
        var flooding = LoadGenerator.RunAsync(callers, new LoadPlan([Loud], FloodPerSecond), duration, cancellationToken);
        await Task.WhenAll(others, flooding);
        var alone = await LoadGenerator.RunAsync(callers, new LoadPlan([Loud], FloodPerSecond), Alone, cancellationToken);

        findings.JudgeNeighbours(calm, await others, QuietSuccess);
        findings.RecordCallers(await flooding);
        JudgeFlood(findings, await flooding, duration, alone);
    }

    private static void JudgeFlood(Findings findings, LoadResult flood, TimeSpan duration, LoadResult alone)
    {
        var beyond = flood.Where(answer => answer.IsRefusal("bulkhead_full", status: 429));
        var (among, freely) = (flood.CountOf("200") / duration.TotalSeconds, alone.CountOf("200") / Alone.TotalSeconds);
        findings.Measure("beyondShare", beyond.Count);
        findings.Measure("servedPerSecondAmongOthers", Math.Round(among, 1));
        findings.Measure("servedPerSecondAlone", Math.Round(freely, 1));
        findings.Expect(Whom.Callers, "beyond their tenant's share are told so by 429 and Retry-After", beyond.Count > 0, "none was");
        findings.Expect(Whom.Callers, "of the flooding tenant get what the others leave", among >= FairPerSecond, $"{among:F0} a second, of 100");
        findings.Expect(Whom.Callers, "of the flooding tenant get more than two shares when alone", freely >= 2 * FairPerSecond, $"{freely:F0} a second, of 100");
    }
}
