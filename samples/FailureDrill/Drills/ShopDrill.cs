using FailureDrill.Load;
using FailureDrill.Shops;

namespace FailureDrill.Drills;

/// <summary>A drill of the shop, whose own switches break it.</summary>
internal abstract class ShopDrill : Drill<Shop>
{
    // Who browses leaves sooner than who has ordered.
    private static readonly TimeSpan BrowsingPatience = TimeSpan.FromSeconds(1.5);

    protected sealed override Task<Shop> StartAsync(bool layers, CancellationToken cancellationToken) => Shop.StartAsync(layers, cancellationToken);

    /// <summary>
    /// Measures the neighbours while all is calm, then lets <paramref name="callers"/> at the broken endpoint and measures
    /// the neighbours meanwhile.
    /// </summary>
    protected static async Task<LoadResult> AttackAsync(
        Shop shop, Findings findings, Attack attack, Customers callers, CancellationToken cancellationToken)
    {
        using var customers = new Customers(shop.Address, BrowsingPatience);
        var neighbourhood = new LoadPlan(ShopRequests.NeighboursOf(attack.Request), PerSecond: 100);

        var calm = await LoadGenerator.RunAsync(customers, neighbourhood, TimeSpan.FromSeconds(0.3), cancellationToken);

        await shop.Control.SetAsync(attack.Service, attack.Fault, cancellationToken);
        var neighbours = LoadGenerator.RunAsync(customers, neighbourhood, attack.Duration, cancellationToken);
        var attacked = LoadGenerator.RunAsync(callers, new LoadPlan([attack.Request], attack.PerSecond), attack.Duration, cancellationToken);
        await Task.WhenAll(neighbours, attacked);

        findings.JudgeNeighbours(calm, await neighbours);
        findings.RecordCallers(await attacked);
        return await attacked;
    }

    /// <summary>Repairs the service and waits until its endpoint itself answers 200 again.</summary>
    protected static async Task RepairAsync(Shop shop, Findings findings, Attack attack, CancellationToken cancellationToken)
    {
        using var customers = new Customers(shop.Address, TimeSpan.FromSeconds(1));
        await shop.Control.SetAsync(attack.Service, FaultSetting.None, cancellationToken);
        await findings.JudgeRecoveryAsync(
            async () => (await customers.SendAsync(attack.Request, cancellationToken)).IsServed, cancellationToken);
    }
}

/// <summary>What is broken and how many callers meet it.</summary>
internal sealed record Attack(Request Request, string Service, FaultSetting Fault, int PerSecond, TimeSpan Duration);
