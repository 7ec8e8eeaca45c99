using FailureDrill.Agencies;
using FailureDrill.Load;
using ResilientHost.Testing;

namespace FailureDrill.Drills;

/// <summary>One call of fifteen fails; then all do.</summary>
internal sealed class UpstreamFlaky : SupplierDrill
{
    public override string Name => "upstream-flaky";

    public override string Failure => "a service behind fails one call of fifteen, then all of them, then is repaired";

    public override IReadOnlyList<string> MustHold =>
    [
        "callers do not notice single failures, and do not wait for that",
        "the service is hardly asked more often for it, by a tenth at most",
        "once it fails every call, it is left alone instead of being tried three times by everybody, and callers are told so by 503 circuit_open",
        "callers are served again after the repair",
    ];

    protected override IReadOnlyList<Request> Requests => [AgencyRequests.Fares];

    protected override async Task RunAsync(Agency<Suppliers> agency, Findings findings, CancellationToken cancellationToken)
    {
        var fares = agency.Upstream.Fares;
        Suppliers.Spoil(fares, Suppliers.Good, ScriptedReply.Status(503), ScriptedReply.Status(500), ScriptedReply.Status(502));
        var before = fares.RequestCount;
        var asked = await AskAsync(agency, Requests, perSecond: 100, TimeSpan.FromSeconds(1.5), cancellationToken);
        var reached = fares.RequestCount - before;
        findings.RecordServed(asked, reached);
        JudgeAnswers(findings, asked, Soon);
        JudgeLoad(findings, reached, asked.Count);

        fares.Replies(ScriptedReply.Status(503));
        before = fares.RequestCount;
        var down = await AskAsync(agency, Requests, perSecond: 100, TimeSpan.FromSeconds(0.8), cancellationToken);
        reached = fares.RequestCount - before;
        var refused = down.CountOf("503 circuit_open");
        findings.Measure("requestsWhileDown", down.Count);
        findings.Measure("reachedWhileDown", reached);
        findings.Measure("refusedWhileDown", refused);
        findings.Expect(Whom.Dependency, "is left alone once it is down", reached <= down.Count * 0.75, $"{reached} calls for {down.Count} requests");
        findings.Expect(Whom.Callers, "are told that it is down", refused > 0 && refused == down.Where(answer => answer.IsRefusal("circuit_open")).Count, $"{refused} of {down.Count} were");

        fares.Replies(Suppliers.Good);
        await JudgeRecoveryAsync(agency, findings, cancellationToken);
    }
}
