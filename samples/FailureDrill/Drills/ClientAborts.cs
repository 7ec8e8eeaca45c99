using FailureDrill.Load;
using FailureDrill.Shops;

namespace FailureDrill.Drills;

/// <summary>Customers leave before they are answered, hundreds of them.</summary>
internal sealed class ClientAborts : ShopDrill
{
    private const int MaxLogLines = 60;
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(4);

    public override string Name => "client-aborts";

    public override string Failure => "hundreds of callers leave before they are answered";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "nothing of the callers who left is held: no bulkhead permit, no database connection, no call to the service behind",
        "nothing counts as a failure: the circuit stays closed with a failure ratio of 0, the log stays quiet",
    ];

    public override string WhyItMayHoldWithout =>
        "every await of the shop passes the request's token on, so the host lets go of callers who left; the layers must only not count them.";

    protected override async Task RunAsync(Shop shop, Findings findings, CancellationToken cancellationToken)
    {
        var attack = new Attack(ShopRequests.Checkout, "checkout", new FaultSetting { LatencyMs = 1000 }, PerSecond: 140, TimeSpan.FromSeconds(2));

        using var callers = new Customers(shop.Address, patience: TimeSpan.FromMilliseconds(80)) { WhenPatienceEnds = "left" };
        var linesBefore = shop.LogLines;
        var left = await AttackAsync(shop, findings, attack, callers, cancellationToken);
        findings.Measure("left", left.CountOf("left"));
        findings.Expect(Whom.Callers, "left in their hundreds", left.CountOf("left") >= 150, $"{left.CountOf("left")} did");

        var held = await SettleAsync(shop, cancellationToken);
        findings.Measure("heldByDatabase", held.Database.InUse);
        findings.Measure("heldByDependency", held.Of(attack.Service).InFlight);
        findings.Expect(Whom.Dependency, "holds nothing for callers who left", IsEmpty(held), $"{held.Database.InUse} connections, {held.Of(attack.Service).InFlight} calls");

        if (shop.HasLayers)
        {
            await JudgeLayersAsync(shop, findings, cancellationToken);
        }

        var lines = shop.LogLines - linesBefore;
        findings.Measure("logLines", lines);
        findings.Expect(Whom.Process, "keeps its log quiet", lines <= MaxLogLines, $"{lines} lines");
        await RepairAsync(shop, findings, attack, cancellationToken);
    }

    private static async Task JudgeLayersAsync(Shop shop, Findings findings, CancellationToken cancellationToken)
    {
        await shop.Control.WaitForStatusAsync(layers => layers.Bulkhead("checkout") is { InFlight: 0, Queued: 0 }, SettleLimit, cancellationToken);
        var status = await shop.Control.ReadStatusAsync(cancellationToken);
        var bulkhead = status.Bulkhead("checkout");
        var circuit = status.Circuit("checkout");
        findings.Measure("bulkheadInFlight", bulkhead?.InFlight ?? -1);
        findings.Measure("circuitState", circuit?.State ?? "");
        findings.Measure("circuitFailureRatio", circuit?.FailureRatio ?? -1);
        findings.Expect(Whom.Process, "holds no permit", bulkhead is { InFlight: 0, Queued: 0 }, $"{bulkhead?.InFlight} in flight");
        findings.Expect(Whom.Process, "counts no failure", circuit is { PlainState: "closed", FailureRatio: 0, Refused: 0 }, $"{circuit?.State}, ratio {circuit?.FailureRatio}");
    }

    private static bool IsEmpty(ShopState state) => state.Database is { InUse: 0, Waiting: 0 } && state.Of("checkout").InFlight == 0;

    private static async Task<ShopState> SettleAsync(Shop shop, CancellationToken cancellationToken)
    {
        var state = await shop.Control.ReadAsync(cancellationToken);
        for (var waited = TimeSpan.Zero; !IsEmpty(state) && waited < SettleLimit; waited += TimeSpan.FromMilliseconds(100))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            state = await shop.Control.ReadAsync(cancellationToken);
        }

        return state;
    }
}
