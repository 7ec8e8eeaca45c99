using FailureDrill.Load;
using FailureDrill.Shops;

namespace FailureDrill.Drills;

/// <summary>
/// One failure and what must hold while it lasts: for the neighbours of the broken endpoint, for its callers, for the
/// service behind it and for the process. The same expectations are checked with the layers and without.
/// </summary>
internal abstract class Drill
{
    // Who browses leaves sooner than who has ordered.
    private static readonly TimeSpan BrowsingPatience = TimeSpan.FromSeconds(1.5);

    /// <summary>As <c>--only</c> and the results spell it.</summary>
    public abstract string Name { get; }

    /// <summary>What breaks.</summary>
    public abstract string Failure { get; }

    /// <summary>What must hold, in words.</summary>
    public abstract IReadOnlyList<string> MustHold { get; }

    /// <summary>Why the same shop may stand this without the layers; shown when it does.</summary>
    public virtual string WhyItMayHoldWithout => "the host alone copes with this one.";

    /// <summary>Breaks the shop, watches, and writes down what was found.</summary>
    public abstract Task RunAsync(Shop shop, Findings findings, CancellationToken cancellationToken);

    /// <summary>
    /// Measures the neighbours while all is calm, then lets <paramref name="callers"/> at the broken endpoint and measures
    /// the neighbours meanwhile.
    /// </summary>
    protected static async Task<LoadResult> AttackAsync(
        Shop shop, Findings findings, Attack attack, Customers callers, CancellationToken cancellationToken)
    {
        using var customers = new Customers(shop.Address, BrowsingPatience);
        var neighbourhood = new LoadPlan(Requests.NeighboursOf(attack.Request), PerSecond: 100);

        var calm = await LoadGenerator.RunAsync(customers, neighbourhood, TimeSpan.FromSeconds(0.6), cancellationToken);

        await shop.Control.SetAsync(attack.Service, attack.Fault, cancellationToken);
        var neighbours = LoadGenerator.RunAsync(customers, neighbourhood, attack.Duration, cancellationToken);
        var attacked = LoadGenerator.RunAsync(callers, new LoadPlan([attack.Request], attack.PerSecond), attack.Duration, cancellationToken);
        await Task.WhenAll(neighbours, attacked);

        findings.JudgeNeighbours(calm, await neighbours);
        findings.RecordCallers(await attacked);
        return await attacked;
    }

    /// <summary>Repairs the service and waits until its endpoint answers 200 again.</summary>
    protected static async Task RepairAsync(Shop shop, Findings findings, Attack attack, CancellationToken cancellationToken)
    {
        using var customers = new Customers(shop.Address, TimeSpan.FromSeconds(1));
        await shop.Control.SetAsync(attack.Service, FaultSetting.None, cancellationToken);
        await findings.JudgeRecoveryAsync(
            async () => (await customers.SendAsync(attack.Request, cancellationToken)).Status == 200, cancellationToken);
    }
}

/// <summary>What is broken and how many callers meet it.</summary>
internal sealed record Attack(Request Request, string Service, FaultSetting Fault, int PerSecond, TimeSpan Duration);
