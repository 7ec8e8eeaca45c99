using FailureDrill.Agencies;
using FailureDrill.Databases;
using FailureDrill.Load;

namespace FailureDrill.Drills;

/// <summary>A real database stops where it is: its connections stay open, and nothing comes any more.</summary>
internal sealed class DatabaseFrozen : AgencyDrill<PostgreSqlServer>
{
    // The bulkhead admits 10; their failures open the circuit, which tries again once.
    private const int MaxQueries = 25;

    // The attempt timeout of 400 ms, and room for a machine that is busy.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1.2);

    public override string Name => "database-frozen";

    public override string Failure => "every process of a PostgreSQL server is stopped (SIGSTOP), then goes on";

    public override string? WhyNot => PostgreSqlInstallation.WhyNot;

    public override IReadOnlyList<string> MustHold =>
    [
        "callers get an answer, the last good one, and do not wait for the database",
        "no more is asked of it than the bulkhead admits, and then nothing: the pool is not used up",
        "callers are served again as soon as it goes on, without a restart",
    ];

    protected override IReadOnlyList<Request> Requests => [AgencyRequests.Bookings];

    protected override Task<PostgreSqlServer> StartUpstreamAsync(bool layers, CancellationToken cancellationToken) => PostgreSqlServer.StartAsync(cancellationToken);

    protected override async Task RunAsync(Agency<PostgreSqlServer> agency, Findings findings, CancellationToken cancellationToken)
    {
        await agency.Upstream.FreezeAsync(cancellationToken);
        var before = (await agency.Control.ReadAsync(cancellationToken)).Queries;
        var asked = await AskAsync(agency, Requests, perSecond: 50, TimeSpan.FromSeconds(1.4), cancellationToken);
        var queries = (await agency.Control.ReadAsync(cancellationToken)).Queries - before;
        findings.RecordServed(asked, queries, "queries begun");
        findings.Expect(Whom.Callers, "get the last good answer", asked.Where(answer => answer.IsFallback("stale")).Count >= asked.Count * 0.98, $"{asked.Success:P1} got 200");
        findings.Expect(Whom.Callers, "do not wait for it", asked.P99 <= Soon, $"p99 {asked.P99.TotalMilliseconds:F0} ms");
        findings.Expect(Whom.Dependency, "is left alone while it is frozen", queries <= MaxQueries, $"{queries} queries for {asked.Count} requests");

        await agency.Upstream.ThawAsync(cancellationToken);
        await JudgeRecoveryAsync(agency, findings, cancellationToken);
    }
}
