using FailureDrill.Load;
using FailureDrill.Shops;

namespace FailureDrill.Drills;

/// <summary>Somebody saves a broken configuration under load, then an invalid one, then a good one.</summary>
internal sealed class BadReload : ShopDrill
{
    private const int LimitBefore = 16;
    private const int LimitAfter = 7;

    // The host waits a quarter of a second after a change before it reads the file.
    private static readonly TimeSpan ReloadTime = TimeSpan.FromSeconds(0.6);
    private static readonly TimeSpan ReloadLimit = TimeSpan.FromSeconds(6);

    public override string Name => "bad-reload";

    public override string Failure => "broken JSON, then invalid thresholds, saved under load";

    public override IReadOnlyList<string> MustHold =>
    [
        "every endpoint is answered and nobody waits",
        "the last good thresholds stay in force, twice",
        "the next valid configuration applies without a restart",
    ];

    public override string WhyItMayHoldWithout =>
        "without the layers nothing reads these settings while the shop runs, so there is nothing to spoil and nothing to apply.";

    protected override async Task RunAsync(Shop shop, Findings findings, CancellationToken cancellationToken)
    {
        using var customers = new Customers(shop.Address);
        var plan = new LoadPlan(ShopRequests.All, PerSecond: 120);
        var calm = await LoadGenerator.RunAsync(customers, plan, TimeSpan.FromSeconds(0.6), cancellationToken);

        var reloading = ReloadAsync(shop, findings, cancellationToken);
        var during = await LoadGenerator.RunWhileAsync(customers, plan, _ => !reloading.IsCompleted, cancellationToken);
        await reloading;

        findings.JudgeNeighbours(calm, during);
        findings.RecordCallers(during);
    }

    private static async Task ReloadAsync(Shop shop, Findings findings, CancellationToken cancellationToken)
    {
        await SpoilAsync(shop, findings, "broken JSON", shop.Content.Original[..(shop.Content.Original.Length / 2)], cancellationToken);
        await SpoilAsync(shop, findings, "an invalid limit", shop.Content.WithCheckoutLimit("-3"), cancellationToken);

        shop.Content.WriteSettings(shop.Content.WithCheckoutLimit($"{LimitAfter}"));
        if (shop.HasLayers)
        {
            var applied = await shop.Control.WaitForStatusAsync(
                layers => layers.Bulkhead("checkout")?.Limit == LimitAfter, ReloadLimit, cancellationToken);
            findings.Measure("validReloadApplied", applied);
            findings.Expect(Whom.Process, "applies the next valid configuration", applied, $"not within {ReloadLimit.TotalSeconds} s");
        }
    }

    private static async Task SpoilAsync(Shop shop, Findings findings, string spoiledBy, string settings, CancellationToken cancellationToken)
    {
        var linesBefore = shop.LogLines;
        shop.Content.WriteSettings(settings);
        if (!shop.HasLayers)
        {
            await Task.Delay(ReloadTime, cancellationToken);
            return;
        }

        // What the log says proves that the shop has read the file, however busy this machine is.
        var reported = await shop.WaitForLogAsync(linesBefore, ReloadLimit, cancellationToken);
        var limit = (await shop.Control.ReadStatusAsync(cancellationToken)).Bulkhead("checkout")?.Limit;
        findings.Expect(Whom.Process, $"reports {spoiledBy}", reported, "nothing in the log");
        findings.Expect(Whom.Process, $"keeps the last good thresholds after {spoiledBy}", limit == LimitBefore, $"limit {limit}");
    }
}
