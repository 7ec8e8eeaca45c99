using FailureDrill.Agencies;
using FailureDrill.Load;

namespace FailureDrill.Drills;

/// <summary>One call of twenty takes more than a second.</summary>
internal sealed class UpstreamSlow : SupplierDrill
{
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(1);

    public override string Name => "upstream-slow";

    public override string Failure => "a service behind takes more than a second for one call of twenty";

    public override IReadOnlyList<string> MustHold =>
    [
        "callers are answered, and do not wait for the slow ones",
        "the service is hardly asked more often for it, by a tenth at most",
        "it is not kept busy with answers that nobody waits for any more",
    ];

    protected override IReadOnlyList<Request> Requests => [AgencyRequests.Rooms];

    protected override async Task RunAsync(Agency<Suppliers> agency, Findings findings, CancellationToken cancellationToken)
    {
        var rooms = agency.Upstream.Rooms;
        rooms.RepliesInCycle(Suppliers.Good.Times(19), Suppliers.Good.WithDelay(TimeSpan.FromSeconds(1.3)));
        var before = rooms.RequestCount;

        // A second attempt begins 200 ms after the first. At 100 calls per second it would meet the next slow turn of the cycle.
        var asked = await AskAsync(agency, Requests, perSecond: 80, TimeSpan.FromSeconds(1.6), cancellationToken);
        var reached = rooms.RequestCount - before;
        findings.RecordServed(asked, reached);
        JudgeAnswers(findings, asked, Soon);
        JudgeLoad(findings, reached, asked.Count);

        var settled = await Findings.MeasureRecoveryAsync(() => Task.FromResult(rooms.InFlight == 0), SettleLimit, cancellationToken);
        findings.Expect(Whom.Dependency, "holds nothing for callers who have their answer", settled is not null, $"{rooms.InFlight} calls");
        rooms.Replies(Suppliers.Good);
        await JudgeRecoveryAsync(agency, findings, cancellationToken);
    }
}
