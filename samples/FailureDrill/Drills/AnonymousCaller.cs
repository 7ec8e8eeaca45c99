using FailureDrill.Kiosks;
using FailureDrill.Load;

namespace FailureDrill.Drills;

/// <summary>Endpoints that only signed-in customers may ask fail, and everybody asks them.</summary>
internal sealed class AnonymousCaller : KioskDrill
{
    public override string Name => "anonymous-caller";

    public override string Failure => "endpoints for signed-in customers fail while strangers ask too";

    public override IReadOnlyList<string> MustHold =>
    [
        "neighbours are answered and do not wait",
        "who has not signed in gets 401, always: while the endpoint works, fails, or is refused by its circuit; never a fallback",
        "who has signed in gets the fallback's answer, in their own name",
        "no answer of a signed-in customer is kept and shown to another",
        "customers are served again after the repair",
    ];

    protected override async Task RunAsync(Kiosk kiosk, Findings findings, CancellationToken cancellationToken)
    {
        Request[] mayAsk = [SignedIn(KioskRequests.Account, "ada"), SignedIn(KioskRequests.Account, "bob"), SignedIn(KioskRequests.Points, "bob")];
        Request[] mayNot = [KioskRequests.Account, SignedIn(KioskRequests.Account, "x-9"), KioskRequests.Points];
        var attack = new KioskAttack(
            [.. mayAsk, .. mayNot],
            depot =>
            {
                Depot.Break(depot.Account);
                Depot.Break(depot.Points);
            },
            depot =>
            {
                Depot.Mend(depot.Account);
                Depot.Mend(depot.Points);
            },
            PerSecond: 90,
            TimeSpan.FromSeconds(1.2));
        using var callers = new Customers(kiosk.Address);

        // Ada has seen her points: a good answer that must not be kept.
        var well = new LoadResult([
            await callers.SendAsync(SignedIn(KioskRequests.Points, "ada"), cancellationToken),
            .. await Task.WhenAll(mayAsk.Select(request => callers.SendAsync(request, cancellationToken)))]);
        var strangersBefore = new LoadResult(await Task.WhenAll(mayNot.Select(request => callers.SendAsync(request, cancellationToken))));
        findings.Expect(Whom.Callers, "who may ask are served while all is well", well.Answers.All(answer => answer.IsServed), string.Join(", ", well.Kinds.Keys));

        var everybody = await AttackAsync(kiosk, findings, attack, callers, cancellationToken);
        JudgeStrangers(findings, new LoadResult([.. everybody.Of(mayNot).Answers, .. strangersBefore.Answers]));
        JudgeCustomers(findings, everybody, mayAsk);
        if (kiosk.HasLayers)
        {
            var circuit = (await kiosk.Control.ReadStatusAsync(cancellationToken)).Circuit("account");
            findings.Expect(Whom.Process, "refused some of them", circuit is { Refused: > 0 }, $"circuit {circuit?.PlainState}, {circuit?.Refused} refused");
        }

        await JudgeHeldAsync(kiosk, findings, cancellationToken);
        await RepairAsync(kiosk, findings, attack with { Requests = mayAsk }, cancellationToken);
    }

    private static void JudgeStrangers(Findings findings, LoadResult strangers)
    {
        var turnedAway = strangers.Where(answer => answer is { Status: 401, Fallback: null, Body: "" });
        findings.Measure("strangers", strangers.Kinds);
        findings.Expect(Whom.Callers, "who may not ask get 401 and nothing else", turnedAway.Count == strangers.Count, $"{strangers.Count - turnedAway.Count} of {strangers.Count} got something else");
    }

    private static void JudgeCustomers(Findings findings, LoadResult everybody, Request[] mayAsk)
    {
        var (ada, bob, points) = (everybody.Of(mayAsk[0]), everybody.Of(mayAsk[1]), everybody.Of(mayAsk[2]));
        var own = ada.Where(answer => IsOwnFallback(answer, "ada")).Count + bob.Where(answer => IsOwnFallback(answer, "bob")).Count;
        var kept = points.Where(answer => answer.Fallback is not null || answer.Body.Contains("fresh", StringComparison.Ordinal));
        findings.Measure("ownFallbacks", own);
        findings.Measure("kept", kept.Count);
        findings.Expect(Whom.Callers, "who may ask get the fallback in their own name", own > 0 && own == ada.Count + bob.Count, $"{own} of {ada.Count + bob.Count} did");
        findings.Expect(Whom.Callers, "see nothing that was kept of a customer", points.Count > 0 && kept.Count == 0, $"{kept.Count} did");
    }

    private static bool IsOwnFallback(Answer answer, string name) =>
        answer.IsFallback("delegate") && answer.Body == $"{name}: try again later";

    private static Request SignedIn(Request request, string customer) => request with { Customer = customer };
}
