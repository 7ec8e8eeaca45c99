using FailureDrill.Agencies;
using FailureDrill.Load;

namespace FailureDrill.Drills;

/// <summary>Hundreds of readers meet at one key that is not in the cache, and go on reading while it expires again and again.</summary>
internal sealed class CacheStampede : AgencyDrill<WeatherArchive>
{
    private const int Readers = 200;

    // The first, and one for each refresh while readers come. A cache that kept nothing, but shared what is under way, would make 9.
    private const int MaxCalls = 7;

    // The archive takes 150 ms; the rest is the time that hundreds of connections take.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1.2);

    public override string Name => "cache-stampede";

    public override string Failure => "hundreds of readers miss one key of a cache at once, and it expires again and again";

    public override IReadOnlyList<string> MustHold =>
    [
        "one of them asks the store, whoever else reads meanwhile shares the answer",
        "readers are answered and do not wait for a store that all of them ask",
        "afterwards the store has nothing left to do",
    ];

    protected override IReadOnlyList<Request> Requests => [AgencyRequests.Weather("bergen")];

    protected override Task<WeatherArchive> StartUpstreamAsync(bool layers, CancellationToken cancellationToken) => WeatherArchive.StartAsync(cancellationToken);

    protected override async Task RunAsync(Agency<WeatherArchive> agency, Findings findings, CancellationToken cancellationToken)
    {
        var archive = agency.Upstream;
        var hot = AgencyRequests.Weather("oslo");
        using var readers = new Customers(agency.Address);
        var before = archive.Calls;
        var first = await Task.WhenAll(Enumerable.Range(0, Readers).Select(_ => readers.SendAsync(hot, cancellationToken)));
        var cold = archive.Calls - before;
        var later = await LoadGenerator.RunAsync(readers, new LoadPlan([hot], PerSecond: 120), TimeSpan.FromSeconds(1.2), cancellationToken);
        var reached = archive.Calls - before;
        var waiting = archive.InFlight;

        var all = new LoadResult([.. first, .. later.Answers]);
        findings.RecordServed(all, reached, "reads of the store");
        findings.Measure("readersOfTheColdKey", Readers);
        findings.Measure("readsOfTheColdKey", cold);
        findings.Measure("leftWaiting", waiting);
        findings.Expect(Whom.Dependency, "is asked once for one key", cold <= 2, $"{cold} times by {Readers} readers");
        findings.Expect(Whom.Dependency, "is asked once for each time that the key expires", reached <= MaxCalls, $"{reached} times for {all.Count} reads");
        JudgeAnswers(findings, all, Soon);

        // Nobody repairs anything: it is well again when the store is asked by nobody, and answers who is not in the cache.
        await findings.JudgeRecoveryAsync(
            async () => archive.InFlight == 0 && (await readers.SendAsync(AgencyRequests.Weather("narvik"), cancellationToken)).IsServed, cancellationToken);
    }
}
