using FailureDrill.Agencies;
using FailureDrill.Load;

namespace FailureDrill.Drills;

/// <summary>One answer of fifteen ends in the middle of its body, after a good status and good headers.</summary>
internal sealed class TruncatedBody : SupplierDrill
{
    public override string Name => "truncated-body";

    public override string Failure => "one answer of fifteen of a service behind ends in the middle of its body";

    public override IReadOnlyList<string> MustHold =>
    [
        "callers do not notice, and do not wait for that",
        "nobody gets a part of an answer for the whole",
        "the service is hardly asked more often for it",
    ];

    protected override IReadOnlyList<Request> Requests => [AgencyRequests.Maps];

    protected override async Task RunAsync(Agency<Suppliers> agency, Findings findings, CancellationToken cancellationToken)
    {
        var maps = agency.Upstream.Maps;
        Suppliers.Spoil(maps, Suppliers.Map, Suppliers.Map.TruncatedAfter(9_000), Suppliers.Map.TruncatedAfter(0));
        var before = maps.RequestCount;
        var asked = await AskAsync(agency, Requests, perSecond: 80, TimeSpan.FromSeconds(1.5), cancellationToken);
        var reached = maps.RequestCount - before;
        findings.RecordServed(asked, reached);
        JudgeAnswers(findings, asked, Soon);
        JudgeLoad(findings, reached, asked.Count);

        var parts = asked.Where(answer => answer.Status == 200 && answer.Body.Length != Suppliers.MapLength).Count;
        findings.Measure("partsForTheWhole", parts);
        findings.Expect(Whom.Callers, "get no part of an answer for the whole", parts == 0, $"{parts} did");

        maps.Replies(Suppliers.Map);
        await JudgeRecoveryAsync(agency, findings, cancellationToken);
    }
}
