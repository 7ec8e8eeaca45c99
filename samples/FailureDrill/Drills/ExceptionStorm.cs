using FailureDrill.Load;
using FailureDrill.Shops;

namespace FailureDrill.Drills;

/// <summary>Every call of one endpoint throws, from below two dozen awaits.</summary>
internal sealed class ExceptionStorm : ShopDrill
{
    // One entry with its stack and a summary now and then; a line per exception would drown everything else.
    private const int MaxLogLines = 250;

    public override string Name => "exception-storm";

    public override string Failure => "one endpoint throws on every call";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "callers get 500 as a problem with code and trace id, and nothing of the exception",
        "the process lives, and its log stays readable",
    ];

    protected override async Task RunAsync(Shop shop, Findings findings, CancellationToken cancellationToken)
    {
        var secret = $"Password={Guid.NewGuid():N}";
        var attack = new Attack(
            ShopRequests.Product, "catalogue", new FaultSetting { Crash = true, CrashDetail = $"Cannot log in: Host=db-7.internal;{secret}" },
            PerSecond: 250, TimeSpan.FromSeconds(1.5));

        using var callers = new Customers(shop.Address);
        var linesBefore = shop.LogLines;
        var storm = await AttackAsync(shop, findings, attack, callers, cancellationToken);
        await RepairAsync(shop, findings, attack, cancellationToken);
        var lines = shop.LogLines - linesBefore;

        var asPromised = storm.Where(answer => answer is { Status: 500, Problem: { Code: "unhandled_exception", Status: 500, HasTraceId: true } });
        var leaks = storm.Where(answer => answer.Body.Contains(secret, StringComparison.Ordinal) || answer.Body.Contains("InvalidOperation", StringComparison.Ordinal));
        findings.Measure("exceptions", storm.Count);
        findings.Measure("problemAnswers", asPromised.Count);
        findings.Measure("leaks", leaks.Count);
        findings.Measure("logLines", lines);
        findings.Expect(Whom.Callers, "get 500 as a problem with code and trace id", asPromised.Count == storm.Count, $"{asPromised.Count} of {storm.Count} did");
        findings.Expect(Whom.Callers, "see nothing of the exception", leaks.Count == 0, $"{leaks.Count} answers told");
        findings.Expect(Whom.Process, "keeps its log readable", lines <= MaxLogLines, $"{lines} lines for {storm.Count} exceptions");
    }
}
