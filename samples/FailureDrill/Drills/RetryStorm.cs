using System.Collections.Concurrent;
using FailureDrill.Agencies;
using FailureDrill.Load;
using ResilientHost.Testing;

namespace FailureDrill.Drills;

/// <summary>Three services in a row, each of which tries again, and the one behind them fails.</summary>
internal sealed class RetryStorm : AgencyDrill<Partners>
{
    // Three tries of each of three tries of each of three tries would make 27.
    private const double MaxCallsPerRequest = 1.2;

    // Beside a tenth of the calls a budget has a few tries at the least: of fewer requests these would be a large share.
    private const int RequestCount = 100;
    private const int AtOnce = 30;

    // Two waits of some 20 ms in one of the links, and room for a machine that is busy.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    public override string Name => "retry-storm";

    public override string Failure => "the last in a chain of services fails, and each of the three before it tries again";

    public override IReadOnlyList<string> MustHold =>
    [
        "tries do not multiply: the last one gets at most 1.2 calls for a request, without any help of circuits",
        "callers are told soon",
        "callers are served again after the repair, by every link of the chain",
    ];

    protected override IReadOnlyList<Request> Requests => [AgencyRequests.Offers];

    protected override Task<Partners> StartUpstreamAsync(bool layers, CancellationToken cancellationToken) => Partners.StartAsync(layers, cancellationToken);

    protected override async Task RunAsync(Agency<Partners> agency, Findings findings, CancellationToken cancellationToken)
    {
        var offers = agency.Upstream.Suppliers.Offers;
        offers.Replies(ScriptedReply.Status(503));
        var before = offers.RequestCount;
        var asked = await AskEachAsync(agency, cancellationToken);
        var reached = offers.RequestCount - before;
        var perRequest = (double)reached / asked.Count;
        findings.RecordServed(asked, reached);
        findings.Measure("callsPerRequest", Math.Round(perRequest, 2));
        findings.Expect(Whom.Dependency, "is not asked by every try of every link", perRequest <= MaxCallsPerRequest, $"{perRequest:F1} calls for a request");
        findings.Expect(Whom.Callers, "are told soon", asked.P99 <= Soon, $"p99 {asked.P99.TotalMilliseconds:F0} ms");

        offers.Replies(Suppliers.Good);
        await JudgeRecoveryAsync(agency, findings, cancellationToken);
    }

    // All of them, however busy this machine is: a steady rate would leave some out.
    private async Task<LoadResult> AskEachAsync(Agency<Partners> agency, CancellationToken cancellationToken)
    {
        using var callers = new Customers(agency.Address);
        var answers = new ConcurrentBag<Answer>();
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            Enumerable.Range(0, RequestCount), atOnce, async (_, token) => answers.Add(await callers.SendAsync(Requests[0], token)));
        return new LoadResult([.. answers]);
    }
}
