using FailureDrill.Kiosks;
using FailureDrill.Load;
using FailureDrill.Processes;
using ResilientHost.Testing;

namespace FailureDrill.Drills;

/// <summary>The service behind an endpoint takes calls and never answers; the endpoint has a timeout of 400 ms.</summary>
internal sealed class DependencyHangs : KioskDrill
{
    // What comes within one timeout, 45 calls a second for 0.4 s, and room for a machine that is busy.
    private const int MaxHeld = 28;

    // The timeout, and room for a machine that is busy; far from what a caller would wait for.
    private static readonly TimeSpan Fast = TimeSpan.FromSeconds(1.1);

    public override string Name => "dependency-hangs";

    public override string Failure => "the service behind an endpoint with a timeout hangs";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "callers get 504 timeout soon after the endpoint's timeout, then 503 circuit_open with Retry-After, and nothing else",
        "the hanging service holds no more calls than come within one timeout, and none afterwards; no connection or permit stays held",
        "callers are served again soon after the repair",
    ];

    protected override async Task RunAsync(Kiosk kiosk, Findings findings, CancellationToken cancellationToken)
    {
        var attack = new KioskAttack(
            [KioskRequests.Stock],
            depot => depot.Stock.Replies(ScriptedReply.Hang()),
            depot => Depot.Mend(depot.Stock),
            PerSecond: 45,
            TimeSpan.FromSeconds(1.4));

        using var callers = new Customers(kiosk.Address, patience: TimeSpan.FromSeconds(1.8));
        var circuit = new CircuitWatch(kiosk.Control, "stock");
        var attacking = AttackAsync(kiosk, findings, attack, callers, cancellationToken);
        var watching = kiosk.HasLayers ? circuit.WatchAsync(until: attacking, cancellationToken) : Task.CompletedTask;
        var peak = await PeakAsync(kiosk.Depot.Stock, attacking, cancellationToken);
        await watching;
        var waiting = await attacking;

        var late = waiting.Where(answer => answer is { Status: 504, Problem.Code: "timeout" });
        var refused = waiting.Where(answer => answer.IsRefusal("circuit_open"));
        findings.Measure("peakHeldByDependency", peak);
        findings.Measure("timeouts", late.Count);
        findings.Measure("timeoutP99Ms", Math.Round(late.P99.TotalMilliseconds, 1));
        findings.Measure("refusedCircuitOpen", refused.Count);
        findings.Expect(Whom.Callers, "get 504 soon after the endpoint's timeout", late.Count > 0 && late.P99 <= Fast, $"{late.Count} did, p99 {late.P99.TotalMilliseconds:F0} ms");
        findings.Expect(Whom.Callers, "are then refused by the circuit", refused.Count > 0 && late.Count + refused.Count == waiting.Count, $"{refused.Count} were, {waiting.Count - late.Count - refused.Count} got something else");
        findings.Expect(Whom.Dependency, "holds no more calls than come within one timeout", peak <= MaxHeld, $"{peak} calls hung");
        if (kiosk.HasLayers)
        {
            findings.Measure("circuitStates", circuit.States);
            findings.Expect(Whom.Process, "opens the circuit", circuit.States.Contains("open"), string.Join(" → ", circuit.States));
        }

        await JudgeHeldAsync(kiosk, findings, cancellationToken);
        await RepairAsync(kiosk, findings, attack, cancellationToken);
    }

    private static async Task<int> PeakAsync(ScriptedRoute route, Task attacking, CancellationToken cancellationToken)
    {
        var peak = 0;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!attacking.IsCompleted)
        {
            peak = Math.Max(peak, route.InFlight);
            await timer.WaitForNextTickAsync(cancellationToken);
        }

        return peak;
    }
}
