using FailureDrill.Load;
using FailureDrill.Processes;
using FailureDrill.Shops;

namespace FailureDrill.Drills;

/// <summary>The service behind checkout fails, is repaired, and must get its callers back.</summary>
internal sealed class Recovery : ShopDrill
{
    // Five failures open the circuit; calls that were on their way at that moment still arrive.
    private const int MaxCallsWhileBroken = 25;

    public override string Name => "recovery";

    public override string Failure => "the service behind checkout fails, then is repaired";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "callers are refused with 503 circuit_open and Retry-After while it is broken",
        "the broken service is left alone: calls stop reaching it",
        "after the repair the circuit half-opens by itself, tries, and closes",
    ];

    protected override async Task RunAsync(Shop shop, Findings findings, CancellationToken cancellationToken)
    {
        // Shorter than the circuit's break of two seconds, so that the repair comes before its first try.
        var attack = new Attack(ShopRequests.Checkout, "checkout", new FaultSetting { ErrorRate = 1 }, PerSecond: 80, TimeSpan.FromSeconds(1.2));

        using var callers = new Customers(shop.Address);
        var circuit = new CircuitWatch(shop.Control, "checkout");
        var before = (await shop.Control.ReadAsync(cancellationToken)).Of(attack.Service).Calls;

        var attacking = AttackAsync(shop, findings, attack, callers, cancellationToken);
        await circuit.WatchAsync(until: attacking, cancellationToken);
        var outage = await attacking;
        var reached = (await shop.Control.ReadAsync(cancellationToken)).Of(attack.Service).Calls - before;

        var refused = outage.Where(answer => answer.IsRefusal("circuit_open"));
        findings.Measure("callsWhileBroken", outage.Count);
        findings.Measure("callsThatReachedDependency", reached);
        findings.Measure("refusedCircuitOpen", refused.Count);
        findings.Expect(Whom.Dependency, "is left alone while it is broken", reached <= MaxCallsWhileBroken, $"{reached} of {outage.Count} calls reached it");
        findings.Expect(Whom.Callers, "are refused with circuit_open and Retry-After", refused.Count >= outage.Count / 2, $"{refused.Count} of {outage.Count} were");

        if (shop.HasLayers)
        {
            await JudgeCircuitAsync(shop, findings, attack, callers, circuit, cancellationToken);
        }
        else
        {
            await RepairAsync(shop, findings, attack, cancellationToken);
        }
    }

    private static async Task JudgeCircuitAsync(
        Shop shop, Findings findings, Attack attack, Customers callers, CircuitWatch circuit, CancellationToken cancellationToken)
    {
        await shop.Control.SetAsync(attack.Service, FaultSetting.None, cancellationToken);

        // Nobody calls until the circuit says half-open: the state follows from time, not from somebody asking.
        await findings.JudgeRecoveryAsync(
            async () =>
            {
                var state = await circuit.ReadAsync(cancellationToken);
                if (state == "halfopen")
                {
                    await callers.SendAsync(attack.Request, cancellationToken);
                }

                return state == "closed";
            },
            cancellationToken);

        findings.Measure("circuitStates", circuit.States);
        findings.Expect(
            Whom.Callers, "see the circuit open, half-open and close", circuit.States is ["closed", "open", .., "halfopen", "closed"], string.Join(" → ", circuit.States));
    }
}
