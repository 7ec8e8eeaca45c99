using FailureDrill.Agencies;
using FailureDrill.Load;
using ResilientHost.Testing;

namespace FailureDrill.Drills;

/// <summary>Connections are reset: before an answer, and in the middle of one.</summary>
internal sealed class ConnectionResets : SupplierDrill
{
    public override string Name => "connection-resets";

    public override string Failure => "connections to a service behind are reset, before an answer or in the middle of it";

    public override IReadOnlyList<string> MustHold =>
    [
        "callers who read do not notice, and do not wait for that",
        "nothing is done twice: what may have been done already (a POST) is not asked for again",
        "the service is hardly asked more often for it",
    ];

    protected override IReadOnlyList<Request> Requests => [AgencyRequests.Cars];

    protected override async Task RunAsync(Agency<Suppliers> agency, Findings findings, CancellationToken cancellationToken)
    {
        var (cars, rented) = (agency.Upstream.Cars, agency.Upstream.RentedCars);
        Suppliers.Spoil(cars, Suppliers.Good, ScriptedReply.Reset(), Suppliers.Good.ResetAfter(2));
        Suppliers.Spoil(rented, Suppliers.Good, ScriptedReply.Reset());
        var before = cars.RequestCount;
        Request[] rentals = [.. Enumerable.Range(1, 100).Select(i => AgencyRequests.RentCar($"{i}"))];
        var renting = AskAsync(agency, rentals, perSecond: 40, TimeSpan.FromSeconds(1.6), cancellationToken);
        var asked = await AskAsync(agency, Requests, perSecond: 80, TimeSpan.FromSeconds(1.6), cancellationToken);
        var reached = cars.RequestCount - before;
        findings.RecordServed(asked, reached);
        JudgeAnswers(findings, asked, Soon);
        JudgeLoad(findings, reached, asked.Count);

        var rents = await renting;
        var twice = rented.RequestCount - rented.Requests.Select(request => request.BodyText).Distinct(StringComparer.Ordinal).Count();
        findings.Measure("rentals", rents.Kinds);
        findings.Measure("rentedTwice", twice);
        findings.Expect(Whom.Callers, "who rent get what they asked for once", rents.CountOf("200") > 0 && twice == 0, $"{twice} of {rents.Count} rentals were made twice");

        cars.Replies(Suppliers.Good);
        await JudgeRecoveryAsync(agency, findings, cancellationToken);
    }
}
