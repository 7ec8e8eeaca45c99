using FailureDrill.Load;
using FailureDrill.Shops;

namespace FailureDrill.Drills;

/// <summary>The service behind checkout takes calls and never answers; orders keep coming.</summary>
internal sealed class SlowEndpoint : ShopDrill
{
    // The bulkhead admits 16; the service may notice a little later than the shop that a call was given up.
    private const int MaxHeld = 16 + 4;
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(750);

    public override string Name => "slow-endpoint";

    public override string Failure => "the service behind checkout hangs while orders keep coming";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "callers beyond the bulkhead are refused at once with 503 bulkhead_full and Retry-After, later by the circuit",
        "the hanging service holds no more calls than the bulkhead admits",
        "callers are served again soon after the repair",
    ];

    protected override async Task RunAsync(Shop shop, Findings findings, CancellationToken cancellationToken)
    {
        // The shop gives each call to the service two seconds; the failures that follow open the circuit, and its break of
        // two seconds must not be over before the repair, or the drill would measure a second break.
        var attack = new Attack(ShopRequests.Checkout, "checkout", new FaultSetting { Hang = true }, PerSecond: 60, TimeSpan.FromSeconds(3));

        using var callers = new Customers(shop.Address);
        var attacking = AttackAsync(shop, findings, attack, callers, cancellationToken);
        var held = await PeakInFlightAsync(shop, attack.Service, attacking, cancellationToken);
        var waiting = await attacking;
        await RepairAsync(shop, findings, attack, cancellationToken);

        var full = waiting.Where(answer => answer.IsRefusal("bulkhead_full"));
        var open = waiting.Where(answer => answer.IsRefusal("circuit_open"));
        findings.Measure("peakHeldByDependency", held);
        findings.Measure("refusedBulkheadFull", full.Count);
        findings.Measure("refusedCircuitOpen", open.Count);
        findings.Measure("refusalP99Ms", Math.Round(full.P99.TotalMilliseconds, 1));
        findings.Expect(Whom.Dependency, "holds no more calls than the bulkhead admits", held <= MaxHeld, $"{held} calls hung");
        findings.Expect(Whom.Callers, "beyond the bulkhead are refused at once", full.Count > 0 && full.P99 <= AtOnce, $"{full.Count} refusals, p99 {full.P99.TotalMilliseconds:F0} ms");
        findings.Expect(Whom.Callers, "are then refused by the circuit", open.Count > 0, "no circuit opened");
    }

    private static async Task<int> PeakInFlightAsync(Shop shop, string service, Task attacking, CancellationToken cancellationToken)
    {
        var peak = 0;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!attacking.IsCompleted)
        {
            peak = Math.Max(peak, (await shop.Control.ReadAsync(cancellationToken)).Of(service).InFlight);
            await timer.WaitForNextTickAsync(cancellationToken);
        }

        return peak;
    }
}
