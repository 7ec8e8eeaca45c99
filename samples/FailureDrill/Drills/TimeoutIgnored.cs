using System.Net;
using FailureDrill.Kiosks;
using FailureDrill.Load;
using ResilientHost.Testing;

namespace FailureDrill.Drills;

/// <summary>A handler takes no token and goes on waiting when its 300 ms are over.</summary>
internal sealed class TimeoutIgnored : KioskDrill
{
    private const int Limit = 4;

    // 300 ms and a grace of 400 ms, by a clock that is a little coarse, and room for a machine that is busy.
    private static readonly TimeSpan Cut = TimeSpan.FromSeconds(0.65);
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1.6);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.8);

    public override string Name => "timeout-ignored";

    public override string Failure => "a handler ignores its timeout";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "callers see their connection aborted after the grace, and none an answer of a handler that still runs",
        "what a caller asks next on the same connection is answered, not held up behind it; HTTP/2 loses the stream alone, not the connection",
        "the work keeps its place in the bulkhead until it ends: callers beyond get 503 bulkhead_full, overruns are counted",
        "when the work ends, its place is free and callers are served again",
    ];

    protected override async Task RunAsync(Kiosk kiosk, Findings findings, CancellationToken cancellationToken)
    {
        var attack = new KioskAttack(
            [KioskRequests.Report],
            depot => depot.Report.Replies(ScriptedReply.Hang()),
            depot =>
            {
                Depot.Mend(depot.Report);
                depot.Report.Release();
            },
            PerSecond: 40,
            TimeSpan.FromSeconds(1.2));
        using var first = new Customers(kiosk.Address, Patience, connections: 1);
        using var second = new Customers((await kiosk.Control.ReadAsync(cancellationToken)).Http2Address, Patience, version: HttpVersion.Version20);
        using var callers = new Customers(kiosk.Address, Patience);

        var hoursBefore = await second.SendAsync(KioskRequests.Hours, cancellationToken);
        attack.Break(kiosk.Depot);
        var before = (int)kiosk.Depot.Report.RequestCount;
        Task<Answer>[] ignored = [first.SendAsync(KioskRequests.Report, cancellationToken), second.SendAsync(KioskRequests.Report, cancellationToken)];
        await kiosk.Depot.Report.WaitForRequestsAsync(before + ignored.Length, cancellationToken);
        var next = first.SendAsync(KioskRequests.Hours, cancellationToken);
        var waiting = await AttackAsync(kiosk, findings, attack, callers, cancellationToken);
        JudgeCallers(findings, new LoadResult([.. waiting.Answers, .. await Task.WhenAll(ignored)]), await next);
        await JudgeWorkAsync(kiosk, findings, cancellationToken);

        await RepairAsync(kiosk, findings, attack, cancellationToken);
        await JudgeHeldAsync(kiosk, findings, cancellationToken);

        var hoursAfter = await second.SendAsync(KioskRequests.Hours, cancellationToken);
        findings.Expect(Whom.Callers, "of HTTP/2 keep their connection", hoursAfter.IsServed && hoursAfter.Body == hoursBefore.Body, $"\"{hoursBefore.Body}\", then {hoursAfter.Kind} \"{hoursAfter.Body}\"");
    }

    private static void JudgeCallers(Findings findings, LoadResult all, Answer next)
    {
        var cut = all.Where(answer => answer.Kind == "aborted");
        var refused = all.Where(answer => answer.IsRefusal("bulkhead_full"));
        findings.Measure("aborted", cut.Count);
        findings.Measure("abortedSoonestMs", Math.Round(cut.Answers.Select(answer => answer.Elapsed.TotalMilliseconds).DefaultIfEmpty().Min(), 1));
        findings.Measure("abortedP99Ms", Math.Round(cut.P99.TotalMilliseconds, 1));
        findings.Measure("refusedBulkheadFull", refused.Count);
        findings.Measure("nextOnTheConnectionMs", Math.Round(next.Elapsed.TotalMilliseconds, 1));
        findings.Expect(
            Whom.Callers,
            "see the connection aborted after timeout and grace",
            cut.Count == Limit && cut.Answers.All(answer => answer.Elapsed >= Cut && answer.Elapsed <= Late),
            $"{cut.Count} did, p99 {cut.P99.TotalMilliseconds:F0} ms");
        findings.Expect(Whom.Callers, "beyond are refused with 503 bulkhead_full and Retry-After", refused.Count > 0 && refused.Count + cut.Count == all.Count, $"{refused.Count} were, {all.Count - refused.Count - cut.Count} got something else");
        findings.Expect(Whom.Callers, "are not held up behind it on their connection", next.IsServed && next.Elapsed <= Late, $"{next.Kind} after {next.Elapsed.TotalMilliseconds:F0} ms");
    }

    // All callers are gone, the work is not.
    private static async Task JudgeWorkAsync(Kiosk kiosk, Findings findings, CancellationToken cancellationToken)
    {
        var working = kiosk.Depot.Report.InFlight;
        findings.Measure("heldWhileIgnored", working);
        findings.Expect(Whom.Dependency, "holds no more calls than the bulkhead admits", working <= Limit, $"{working} calls hung");
        if (!kiosk.HasLayers)
        {
            return;
        }

        var (ledger, overruns, _) = await kiosk.Control.ReadAsync(cancellationToken);
        var places = (await kiosk.Control.ReadStatusAsync(cancellationToken)).Bulkhead("report")?.InFlight;
        findings.Measure("overruns", overruns);
        findings.Expect(Whom.Process, "keeps the work's place until it ends", working == Limit && places == Limit && ledger == Limit, $"{working} work, {places} places and {ledger} connections are taken");
        findings.Expect(Whom.Process, "counts the overruns", overruns == Limit, $"{overruns} of {Limit}");
    }
}
