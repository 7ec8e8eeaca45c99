using FailureDrill.Load;
using FailureDrill.Workshops;

namespace FailureDrill.Drills;

/// <summary>Ten times as many customers as usual come, for everything.</summary>
internal sealed class MixedFlood : WorkshopDrill
{
    // Of ten requests two are orders, three quotes and five previews; together they need a processor for 200 ms.
    private static readonly IReadOnlyList<Request> Rest =
    [
        WorkshopRequests.Previews, WorkshopRequests.Quotes, WorkshopRequests.Previews, WorkshopRequests.Quotes,
        WorkshopRequests.Previews, WorkshopRequests.Quotes, WorkshopRequests.Previews, WorkshopRequests.Previews,
    ];

    private static readonly int UsualRest = 16 * Environment.ProcessorCount;
    private static readonly int UsualOrders = 4 * Environment.ProcessorCount;

    public override string Name => "mixed-flood";

    public override string Failure => "ten times the usual load, of which a fifth is critical";

    public override IReadOnlyList<string> MustHold =>
    [
        "at its usual load everybody is served",
        "at ten times that 99.9 % of what is critical is answered within the callers' deadline",
        "what can wait is turned down first, with 503 shed and Retry-After; what is in between is served in part",
        "afterwards everything is offered again, by itself",
    ];

    protected override async Task RunAsync(Workshop workshop, Findings findings, CancellationToken cancellationToken)
    {
        using var customers = new Customers(workshop.Address, Patience);
        var usual = new LoadPlan([WorkshopRequests.Orders, WorkshopRequests.Orders, .. Rest], UsualOrders + UsualRest);
        var calm = await LoadGenerator.RunAsync(customers, usual, TimeSpan.FromSeconds(1), cancellationToken);
        findings.Measure("usual", calm.Kinds);
        findings.Expect(Whom.Callers, "are served at the usual load", calm.Success >= 0.9, $"{calm.Success:P0} were");

        var rush = new Rush(Rest, 10 * UsualRest, 10 * UsualOrders, TimeSpan.FromSeconds(5));
        var rushed = await RushAsync(workshop, findings, rush, cancellationToken);
        JudgeShedding(findings, rushed);

        var (quotes, previews) = (rushed.Of(WorkshopRequests.Quotes), rushed.Of(WorkshopRequests.Previews));
        findings.Measure("quotes", quotes.Kinds);
        findings.Measure("previews", previews.Kinds);
        findings.Expect(
            Whom.Callers, "of the less important are turned down first", previews.Success < quotes.Success, $"{previews.Success:P0} of what can wait was served, {quotes.Success:P0} of the rest");
        await JudgeRecoveryAsync(workshop, findings, WorkshopRequests.Previews, cancellationToken);
    }
}
