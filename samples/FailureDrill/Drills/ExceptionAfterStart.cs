using FailureDrill.Load;
using FailureDrill.Shops;

namespace FailureDrill.Drills;

/// <summary>An endpoint throws when half of its answer is on its way.</summary>
internal sealed class ExceptionAfterStart : ShopDrill
{
    private const int OldProxies = 20;
    private const int MaxLogLines = 250;

    public override string Name => "exception-after-start";

    public override string Failure => "one endpoint throws in the middle of its answer";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "callers never take half an answer for a whole one: HTTP/1.1 sees it cut, HTTP/1.0 (older proxies) sees a reset",
        "the process lives, and its log stays readable",
    ];

    protected override async Task RunAsync(Shop shop, Findings findings, CancellationToken cancellationToken)
    {
        var attack = new Attack(
            ShopRequests.Products, "catalogue", new FaultSetting { CrashAfterStart = true }, PerSecond: 60, TimeSpan.FromSeconds(1.5));

        using var callers = new Customers(shop.Address);
        var linesBefore = shop.LogLines;
        var cut = await AttackAsync(shop, findings, attack, callers, cancellationToken);
        var ends = await Task.WhenAll(Enumerable.Range(0, OldProxies)
            .Select(_ => OldProxy.GetAsync(shop.Address, attack.Request.Path, cancellationToken)));
        await RepairAsync(shop, findings, attack, cancellationToken);
        var lines = shop.LogLines - linesBefore;

        var fooled = ends.Count(end => end == ConnectionEnd.Clean);
        findings.Measure("aborted", cut.CountOf("aborted"));
        findings.Measure("halfAnswersTakenForWhole", fooled + cut.CountOf("200"));
        findings.Measure("logLines", lines);
        findings.Expect(Whom.Callers, "of HTTP/1.1 see the answer cut", cut.CountOf("aborted") == cut.Count, $"{cut.CountOf("aborted")} of {cut.Count} did");
        findings.Expect(Whom.Callers, "of HTTP/1.0 see a reset", fooled == 0, $"{fooled} of {OldProxies} took half an answer for a whole one");
        findings.Expect(Whom.Process, "keeps its log readable", lines <= MaxLogLines, $"{lines} lines for {cut.Count + OldProxies} exceptions");
    }
}
