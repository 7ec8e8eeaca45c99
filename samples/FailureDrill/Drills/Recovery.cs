using FailureDrill.Load;
using FailureDrill.Shops;

namespace FailureDrill.Drills;

/// <summary>The service behind checkout fails, is repaired, and must get its callers back.</summary>
internal sealed class Recovery : Drill
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

    public override async Task RunAsync(Shop shop, Findings findings, CancellationToken cancellationToken)
    {
        // Shorter than the circuit's break of two seconds, so that the repair comes before its first try.
        var attack = new Attack(Requests.Checkout, "checkout", new FaultSetting { ErrorRate = 1 }, PerSecond: 80, TimeSpan.FromSeconds(1.5));

        using var callers = new Customers(shop.Address);
        var before = (await shop.Control.ReadAsync(cancellationToken)).Of(attack.Service).Calls;
        var outage = await AttackAsync(shop, findings, attack, callers, cancellationToken);
        var reached = (await shop.Control.ReadAsync(cancellationToken)).Of(attack.Service).Calls - before;

        var refused = outage.Where(answer => answer.IsRefusal("circuit_open"));
        findings.Measure("callsWhileBroken", outage.Count);
        findings.Measure("callsThatReachedDependency", reached);
        findings.Measure("refusedCircuitOpen", refused.Count);
        findings.Expect(Whom.Dependency, "is left alone while it is broken", reached <= MaxCallsWhileBroken, $"{reached} of {outage.Count} calls reached it");
        findings.Expect(Whom.Callers, "are refused with circuit_open and Retry-After", refused.Count >= outage.Count / 2, $"{refused.Count} of {outage.Count} were");

        await shop.Control.SetAsync(attack.Service, FaultSetting.None, cancellationToken);
        if (shop.HasLayers)
        {
            await WatchCircuitAsync(shop, findings, callers, cancellationToken);
        }
        else
        {
            await RepairAsync(shop, findings, attack, cancellationToken);
        }
    }

    private static async Task WatchCircuitAsync(Shop shop, Findings findings, Customers callers, CancellationToken cancellationToken)
    {
        var states = new List<string>();

        // No call is made until the circuit says half-open: the state follows from time, not from somebody asking.
        await findings.JudgeRecoveryAsync(
            async () =>
            {
                var circuit = (await shop.Control.ReadStatusAsync(cancellationToken)).Circuit("checkout");
                if (circuit is null)
                {
                    return false;
                }

                if (states.Count == 0 || states[^1] != circuit.State)
                {
                    states.Add(circuit.State);
                }

                if (circuit.Is("halfopen"))
                {
                    await callers.SendAsync(Requests.Checkout, cancellationToken);
                }

                return circuit.Is("closed");
            },
            cancellationToken);

        findings.Measure("circuitStates", states);
        findings.Expect(Whom.Callers, "see the circuit go from open over half-open to closed", states.Count == 3, string.Join(" → ", states));
    }
}
