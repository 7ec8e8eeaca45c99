using FailureDrill.Agencies;
using FailureDrill.Load;

namespace FailureDrill.Drills;

/// <summary>The certificate of a service runs out, and is renewed.</summary>
internal sealed class ExpiredCertificate : AgencyDrill<VisaOffice>
{
    // Those that were under way as the first one failed, and one for each time that the circuit tries.
    private const int MaxHandshakes = 12;
    private static readonly TimeSpan LogLimit = TimeSpan.FromSeconds(1);

    public override string Name => "expired-certificate";

    public override string Failure => "the certificate of a service behind has expired, then is renewed";

    public override IReadOnlyList<string> MustHold =>
    [
        "the service is left alone at once: one handshake at a time finds out whether it has a better certificate, not one for each request",
        "callers are told so by 503 circuit_open and Retry-After",
        "the log says what is wrong with the certificate, and not once for each caller",
        "callers are served again after the renewal, without a restart",
    ];

    protected override IReadOnlyList<Request> Requests => [AgencyRequests.Visas];

    protected override Task<VisaOffice> StartUpstreamAsync(bool layers, CancellationToken cancellationToken) => VisaOffice.StartAsync(cancellationToken);

    protected override async Task RunAsync(Agency<VisaOffice> agency, Findings findings, CancellationToken cancellationToken)
    {
        var office = agency.Upstream;
        office.LetExpire();
        var (before, linesBefore) = (office.Handshakes, agency.TellingLines);
        var asked = await AskAsync(agency, Requests, perSecond: 80, TimeSpan.FromSeconds(1.4), cancellationToken);
        var handshakes = office.Handshakes - before;
        findings.RecordServed(asked, handshakes, "handshakes");

        // Lines of a log come by a pipe.
        await Findings.MeasureRecoveryAsync(() => Task.FromResult(agency.TellingLines > linesBefore), LogLimit, cancellationToken);
        var lines = agency.TellingLines - linesBefore;
        var refused = asked.Where(answer => answer.IsRefusal("circuit_open")).Count;
        findings.Measure("refusedCircuitOpen", refused);
        findings.Measure("logLinesAboutIt", lines);
        findings.Expect(Whom.Dependency, "is left alone while its certificate is bad", handshakes <= MaxHandshakes, $"{handshakes} handshakes for {asked.Count} requests");
        findings.Expect(Whom.Callers, "are told so by 503 circuit_open and Retry-After", refused >= asked.Count * 0.8, $"{refused} of {asked.Count} were");
        findings.Expect(Whom.Process, "says in its log what is wrong", lines > 0 && lines <= asked.Count / 2, $"{lines} lines");

        office.Renew();
        await JudgeRecoveryAsync(agency, findings, cancellationToken);
    }
}
