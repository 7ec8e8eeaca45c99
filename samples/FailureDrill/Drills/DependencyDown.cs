using FailureDrill.Kiosks;
using FailureDrill.Load;

namespace FailureDrill.Drills;

/// <summary>The services behind two endpoints are down; one endpoint has a fallback of its own, the other its last good response.</summary>
internal sealed class DependencyDown : KioskDrill
{
    // Five failures open a circuit; calls that were on their way at that moment still arrive, and it tries again once.
    private const int MaxCallsWhileBroken = 25;

    public override string Name => "dependency-down";

    public override string Failure => "the services behind two endpoints with fallbacks are down";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "every caller gets 200: of the one endpoint its fallback's answer, of the other its last good one, each named by Resilience-Fallback and kept by no cache",
        "the stale answer says how old it is, and gets older",
        "the failures behind the good answers still open the circuits: calls stop reaching the broken services",
        "after the repair the endpoints themselves answer again",
    ];

    protected override async Task RunAsync(Kiosk kiosk, Findings findings, CancellationToken cancellationToken)
    {
        var depot = kiosk.Depot;
        var attack = new KioskAttack(
            [KioskRequests.Prices, KioskRequests.News],
            broken =>
            {
                Depot.Break(broken.Prices);
                Depot.Break(broken.News);
            },
            mended =>
            {
                Depot.Mend(mended.Prices);
                Depot.Mend(mended.News);
            },
            PerSecond: 100,
            TimeSpan.FromSeconds(1.4));

        using var callers = new Customers(kiosk.Address);
        var (pricesBefore, newsBefore) = (depot.Prices.RequestCount, depot.News.RequestCount);
        var outage = await AttackAsync(kiosk, findings, attack, callers, cancellationToken);
        var (prices, news) = (depot.Prices.RequestCount - pricesBefore, depot.News.RequestCount - newsBefore);

        var printed = outage.Where(answer => answer.IsFallback("delegate") && answer is { Body: "printed", Age: null });
        var old = outage.Where(answer => answer.IsFallback("stale") && answer is { Body: "fresh", Age: not null });
        var ages = old.Answers.Select(answer => answer.Age!.Value.TotalSeconds).DefaultIfEmpty().ToArray();
        findings.Measure("delegate", printed.Count);
        findings.Measure("stale", old.Count);
        findings.Measure("youngestStaleSeconds", ages.Min());
        findings.Measure("oldestStaleSeconds", ages.Max());
        findings.Measure("callsThatReachedDependencies", prices + news);
        findings.Expect(Whom.Callers, "all get 200", outage.Count > 0 && outage.Success >= 1, $"{outage.Success:P0} did");
        findings.Expect(Whom.Callers, "get the answer that is promised, named and not to be cached", IsHalf(printed, outage) && IsHalf(old, outage) && printed.Count + old.Count == outage.Count, $"{printed.Count} of a delegate and {old.Count} stale of {outage.Count}");
        findings.Expect(Whom.Callers, "see a stale answer get older", ages.Max() > ages.Min(), $"Age {ages.Min()} to {ages.Max()} s");
        findings.Expect(Whom.Dependency, "is left alone while it is broken", prices <= MaxCallsWhileBroken && news <= MaxCallsWhileBroken, $"{prices} and {news} of {outage.Count} calls reached it");
        if (kiosk.HasLayers)
        {
            var status = await kiosk.Control.ReadStatusAsync(cancellationToken);
            var (delegates, stales) = (status.Fallback("GET /prices")?.Delegate, status.Fallback("GET /news")?.Stale);
            findings.Expect(Whom.Process, "counts the fallbacks it served", delegates == printed.Count && stales == old.Count, $"{delegates} and {stales}");
        }

        await RepairAsync(kiosk, findings, attack, cancellationToken);
    }

    // Callers ask for both in turn, so each is due to half of them.
    private static bool IsHalf(LoadResult part, LoadResult whole) => Math.Abs((part.Count * 2) - whole.Count) <= 1;
}
