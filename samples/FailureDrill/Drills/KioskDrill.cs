using FailureDrill.Kiosks;
using FailureDrill.Load;

namespace FailureDrill.Drills;

/// <summary>A drill of the kiosk, whose depot is scripted to break it.</summary>
internal abstract class KioskDrill : Drill<Kiosk>
{
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(2);

    protected sealed override Task<Kiosk> StartAsync(bool layers, CancellationToken cancellationToken) => Kiosk.StartAsync(layers, cancellationToken);

    /// <summary>
    /// Measures the neighbours while all is calm, then breaks the depot, lets <paramref name="callers"/> at what it breaks and
    /// measures the neighbours meanwhile.
    /// </summary>
    protected static async Task<LoadResult> AttackAsync(
        Kiosk kiosk, Findings findings, KioskAttack attack, Customers callers, CancellationToken cancellationToken)
    {
        using var customers = new Customers(kiosk.Address, patience: TimeSpan.FromSeconds(1.5));
        var neighbourhood = new LoadPlan(KioskRequests.NeighboursOf(attack.Requests), PerSecond: 80);
        var calm = await LoadGenerator.RunAsync(customers, neighbourhood, TimeSpan.FromSeconds(0.3), cancellationToken);

        attack.Break(kiosk.Depot);
        var neighbours = LoadGenerator.RunAsync(customers, neighbourhood, attack.Duration, cancellationToken);
        var attacked = LoadGenerator.RunAsync(callers, new LoadPlan(attack.Requests, attack.PerSecond), attack.Duration, cancellationToken);
        await Task.WhenAll(neighbours, attacked);

        findings.JudgeNeighbours(calm, await neighbours);
        findings.RecordCallers(await attacked);
        return await attacked;
    }

    /// <summary>Mends the depot and waits until every endpoint itself answers 200 again.</summary>
    protected static async Task RepairAsync(Kiosk kiosk, Findings findings, KioskAttack attack, CancellationToken cancellationToken)
    {
        using var customers = new Customers(kiosk.Address, TimeSpan.FromSeconds(1));
        attack.Mend(kiosk.Depot);
        var waiting = new Queue<Request>(attack.Requests);
        await findings.JudgeRecoveryAsync(
            async () =>
            {
                while (waiting.TryPeek(out var request) && (await customers.SendAsync(request, cancellationToken)).IsServed)
                {
                    waiting.Dequeue();
                }

                return waiting.Count == 0;
            },
            cancellationToken);
    }

    /// <summary>Checks that nothing is left of the callers: no call to the depot, no connection to the ledger, no permit.</summary>
    protected static async Task JudgeHeldAsync(Kiosk kiosk, Findings findings, CancellationToken cancellationToken)
    {
        await kiosk.Control.WaitForAsync(state => state.LedgerInUse == 0 && kiosk.Depot.InFlight == 0, SettleLimit, cancellationToken);
        var held = (await kiosk.Control.ReadAsync(cancellationToken)).LedgerInUse;
        var calls = kiosk.Depot.InFlight;
        findings.Measure("heldByLedger", held);
        findings.Measure("heldByDependency", calls);
        findings.Expect(Whom.Dependency, "holds nothing for callers who have their answer", held == 0 && calls == 0, $"{held} connections, {calls} calls");
        if (!kiosk.HasLayers)
        {
            return;
        }

        var isEmpty = await kiosk.Control.WaitForStatusAsync(
            layers => layers.Bulkheads.All(bulkhead => bulkhead is { InFlight: 0, Queued: 0 }) && layers.Fallbacks.All(fallback => fallback.InFlight == 0),
            SettleLimit,
            cancellationToken);
        findings.Expect(Whom.Process, "holds no permit", isEmpty, "a bulkhead or a fallback still counts somebody in");
    }
}

/// <summary>What the depot does, and how many callers meet it.</summary>
/// <param name="Requests">What callers ask for, in turn.</param>
/// <param name="Break">Breaks the depot.</param>
/// <param name="Mend">Repairs it.</param>
internal sealed record KioskAttack(Request[] Requests, Action<Depot> Break, Action<Depot> Mend, int PerSecond, TimeSpan Duration);
