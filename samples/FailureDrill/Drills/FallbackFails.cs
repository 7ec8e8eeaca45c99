using FailureDrill.Kiosks;
using FailureDrill.Load;
using ResilientHost.Testing;

namespace FailureDrill.Drills;

/// <summary>An endpoint fails, and so does what should answer instead: it throws, hangs, or answers 503 itself.</summary>
internal sealed class FallbackFails : KioskDrill
{
    private const int MaxLogLines = 250;

    // Fallbacks:Timeout is 300 ms; the rest is room for a machine that is busy.
    private static readonly TimeSpan Fast = TimeSpan.FromSeconds(1.2);

    public override string Name => "fallback-fails";

    public override string Failure => "an endpoint fails, and its fallback with it";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "callers get the problem of the endpoint, 504, whether the fallback throws, hangs or answers 503: nothing of the fallback shows",
        "a fallback that fails is not fallen back from: it is called at most once for each caller",
        "no call, connection or permit stays held",
        "the log stays readable; callers are served again after the repair",
    ];

    protected override async Task RunAsync(Kiosk kiosk, Findings findings, CancellationToken cancellationToken)
    {
        var attack = new KioskAttack(
            [KioskRequests.Offers],
            depot =>
            {
                Depot.Break(depot.Offers);
                depot.OldOffers.RepliesInCycle(ScriptedReply.Status(500), ScriptedReply.Hang(), ScriptedReply.Text("sold out"));
            },
            depot => Depot.Mend(depot.Offers),
            PerSecond: 60,
            TimeSpan.FromSeconds(1.2));

        using var callers = new Customers(kiosk.Address);
        var (offersBefore, linesBefore) = (kiosk.Depot.Offers.RequestCount, kiosk.LogLines);
        var failing = await AttackAsync(kiosk, findings, attack, callers, cancellationToken);
        var (asked, fellBack) = (kiosk.Depot.Offers.RequestCount - offersBefore, kiosk.Depot.OldOffers.RequestCount);
        var lines = kiosk.LogLines - linesBefore;

        var problems = failing.Where(answer => answer is { Status: 504, Fallback: null, Problem: { Code: "unhandled_exception", Status: 504, HasTraceId: true } });
        findings.Measure("problemAnswers", problems.Count);
        findings.Measure("fallbackCalls", fellBack);
        findings.Measure("logLines", lines);
        findings.Expect(Whom.Callers, "get the problem of the endpoint", failing.Count > 0 && problems.Count == failing.Count, $"{problems.Count} of {failing.Count} did");
        findings.Expect(Whom.Callers, "get it soon", failing.P99 <= Fast, $"p99 {failing.P99.TotalMilliseconds:F0} ms");
        findings.Expect(Whom.Dependency, "is asked once for each caller and once for each fallback", asked == failing.Count && fellBack <= asked, $"{asked} and {fellBack} calls for {failing.Count} callers");
        findings.Expect(Whom.Process, "keeps its log readable", lines <= MaxLogLines, $"{lines} lines for {failing.Count} failures");
        if (kiosk.HasLayers)
        {
            var use = (await kiosk.Control.ReadStatusAsync(cancellationToken)).Fallback("GET /offers");
            findings.Expect(Whom.Process, "runs the fallback and counts each failure of it", fellBack > 0 && use is { Delegate: 0 } && use.Failed == failing.Count, $"{fellBack} ran, {use?.Failed} counted, {use?.Delegate} served");
        }

        await JudgeHeldAsync(kiosk, findings, cancellationToken);
        await RepairAsync(kiosk, findings, attack, cancellationToken);
    }
}
