using FailureDrill.Load;
using FailureDrill.Shops;

namespace FailureDrill.Drills;

/// <summary>One endpoint, a little slow today, is asked for far more often than it can answer.</summary>
internal sealed class Flood : ShopDrill
{
    public override string Name => "flood";

    public override string Failure => "far more calls of one endpoint than it can answer";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "callers get 200, or at once the endpoint's fallback or 503 bulkhead_full with Retry-After, and nothing else",
        "the process lives",
    ];

    protected override async Task RunAsync(Shop shop, Findings findings, CancellationToken cancellationToken)
    {
        var attack = new Attack(
            ShopRequests.Recommendations, "recommendations", new FaultSetting { LatencyMs = 250 }, PerSecond: 400, TimeSpan.FromSeconds(1.5));

        using var callers = new Customers(shop.Address);
        var flood = await AttackAsync(shop, findings, attack, callers, cancellationToken);
        await RepairAsync(shop, findings, attack, cancellationToken);

        var served = flood.CountOf("200");
        var refused = flood.Where(answer => answer.IsRefusal("bulkhead_full") || answer.IsFallback("delegate"));
        findings.Measure("served", served);
        findings.Measure("fallbackOrBulkheadFull", refused.Count);
        findings.Measure("refusalP99Ms", Math.Round(refused.P99.TotalMilliseconds, 1));
        findings.Expect(Whom.Callers, "are served as many as fit", served > 0, "none was");
        findings.Expect(Whom.Callers, "beyond get the fallback, or 503 bulkhead_full with Retry-After", refused.Count > 0 && served + refused.Count == flood.Count, $"{flood.Count - served - refused.Count} got something else");
    }
}
