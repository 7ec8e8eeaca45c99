using FailureDrill.Agencies;
using FailureDrill.Load;

namespace FailureDrill.Drills;

/// <summary>A drill of the agency, which has nothing of its own: somebody behind it breaks.</summary>
internal abstract class AgencyDrill<TUpstream> : Drill<Agency<TUpstream>>
    where TUpstream : IUpstream
{
    // Who got no answer within that has left.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2.5);

    /// <summary>What callers ask for; answered with 200 until it breaks.</summary>
    protected abstract IReadOnlyList<Request> Requests { get; }

    protected sealed override async Task<Agency<TUpstream>> StartAsync(bool layers, CancellationToken cancellationToken) =>
        await Agency<TUpstream>.StartAsync(await StartUpstreamAsync(layers, cancellationToken), Requests, layers, cancellationToken);

    protected abstract Task<TUpstream> StartUpstreamAsync(bool layers, CancellationToken cancellationToken);

    /// <summary>Lets callers at the agency.</summary>
    protected static async Task<LoadResult> AskAsync(
        Agency<TUpstream> agency, IReadOnlyList<Request> requests, int perSecond, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var callers = new Customers(agency.Address, Patience);
        return await LoadGenerator.RunAsync(callers, new LoadPlan(requests, perSecond), duration, cancellationToken);
    }

    /// <summary>Checks that callers hardly notice what breaks.</summary>
    protected static void JudgeAnswers(Findings findings, LoadResult asked, TimeSpan soon)
    {
        findings.Expect(Whom.Callers, "are answered", asked.Success >= 0.985, $"{asked.Success:P1} got 200");
        findings.Expect(Whom.Callers, "do not wait", asked.P99 <= soon, $"p99 {asked.P99.TotalMilliseconds:F0} ms");
    }

    /// <summary>Waits until what broke is answered with 200 again.</summary>
    protected async Task JudgeRecoveryAsync(Agency<TUpstream> agency, Findings findings, CancellationToken cancellationToken)
    {
        using var callers = new Customers(agency.Address, Patience);
        await findings.JudgeRecoveryAsync(async () => (await callers.SendAsync(Requests[0], cancellationToken)).IsServed, cancellationToken);
    }
}

/// <summary>A drill of the agency whose suppliers are scripted to break it.</summary>
internal abstract class SupplierDrill : AgencyDrill<Suppliers>
{
    /// <summary>Tries again are made when the first has failed, within milliseconds; the rest is room for a machine that is busy.</summary>
    protected static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(750);

    protected sealed override Task<Suppliers> StartUpstreamAsync(bool layers, CancellationToken cancellationToken) => Suppliers.StartAsync(cancellationToken);

    /// <summary>Checks that the broken one is not asked much more often than it would be by callers who do not try again.</summary>
    /// <param name="findings">Where to write that down.</param>
    /// <param name="reached">How often it was asked.</param>
    /// <param name="asked">How often it would be.</param>
    protected static void JudgeLoad(Findings findings, long reached, int asked) =>
        findings.Expect(Whom.Dependency, "is not asked much more often than callers ask", reached <= (asked * 1.2) + 5, $"{reached} calls for {asked} requests");
}
