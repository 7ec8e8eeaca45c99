namespace ResilientHost.Dashboard.Page;

/// <summary>Something that is broken.</summary>
/// <param name="Rank">The lower the worse.</param>
/// <param name="Kind">What it looks like.</param>
/// <param name="Symbol">Its sign.</param>
/// <param name="What">What is broken.</param>
/// <param name="Detail">How, and for how long.</param>
/// <param name="Protection">What protects callers from it.</param>
/// <param name="Next">What happens next.</param>
internal sealed record PageProblem(int Rank, string Kind, string Symbol, string What, string Detail, string Protection, string Next)
{
    private const int OfCertificateDays = 14;

    /// <summary>All there are, the worst first.</summary>
    public static IReadOnlyList<PageProblem> Of(ResilienceStatus status, DateTimeOffset now) =>
    [
        .. status.CircuitBreakers.Where(static circuit => circuit.Mode != CircuitMode.Disabled && (circuit.State != CircuitState.Closed || circuit.Mode == CircuitMode.ForcedOpen)).Select(circuit => Of(circuit, now))
            .Concat(status.HttpClients.SelectMany(client => client.Authorities.SelectMany(authority => Of(client, authority, now))))
            .Concat(Level(status))
            .Concat(status.Workers.Where(static worker => worker.State is WorkerState.Failed or WorkerState.Stuck or WorkerState.BackingOff).Select(Of))
            .OrderBy(static problem => problem.Rank),
    ];

    private static PageProblem Of(CircuitBreakerStatus circuit, DateTimeOffset now)
    {
        var (kind, symbol, word) = PageWords.Of(circuit.State, circuit.Mode);
        var (rank, protection, next) = kind switch
        {
            "shadow" => (9, "Nothing: it only watches (Shadow)", $"Would have refused {PageWords.Many(circuit.WouldHaveRefused, "call")}"),
            "half" => (5, "Only probes get through", "Closes when its probes succeed, opens again when not"),
            "isolated" => (0, Refusing(circuit), "Stays so until somebody resets it"),
            "forced" => (0, Refusing(circuit), "Until its mode is changed"),
            _ => (0, Refusing(circuit), circuit.RetryAfterSeconds is { } left ? $"Half-opens in {PageWords.Span(TimeSpan.FromSeconds(left))}" : "Half-opens when its break is over"),
        };
        return new(rank, kind, symbol, PageWords.NameOf(circuit), $"{word} for {PageWords.Span(now - circuit.Since)}", protection, next);
    }

    private static string Refusing(CircuitBreakerStatus circuit) => $"Calls are refused at once, {PageWords.Number(circuit.Refused)} so far";

    private static IEnumerable<PageProblem> Of(HttpClientStatus client, AuthorityStatus authority, DateTimeOffset now)
    {
        var what = $"{client.Name} → {authority.Authority}";
        if (authority.State != CircuitState.Closed)
        {
            var (kind, symbol, word) = PageWords.Of(authority.State);
            yield return new(kind == "half" ? 6 : 1, kind, symbol, what, $"Upstream: {word}", "Calls to it fail at once",
                authority.RetryAfterSeconds is { } left ? $"Half-opens in {PageWords.Span(TimeSpan.FromSeconds(left))}" : "Half-opens with the next call");
        }

        if (authority.CertificateFault is { } fault)
        {
            yield return new(6, "half", "s-fuse", what, $"Certificate: {fault}", "Nothing here", "Somebody has to replace it");
        }
        else if (authority.CertificateExpiresAt is { } end && end - now < TimeSpan.FromDays(OfCertificateDays))
        {
            yield return new(7, "half", "s-fuse", what, end < now ? "Certificate has expired" : $"Certificate expires in {PageWords.Span(end - now)}", "Nothing: calls fail from then on", $"{PageWords.Day(end)}, unless it is replaced");
        }
    }

    private static IEnumerable<PageProblem> Level(ResilienceStatus status)
    {
        if (status.Level != ServiceLevel.Normal || status.Degradation.Overridden)
        {
            yield return new(
                status.Level >= ServiceLevel.Essential ? 0 : 4,
                status.Level >= ServiceLevel.Essential ? "open" : "half",
                "s-level",
                $"Service level {status.Level}",
                status.Degradation.Overridden ? "Set by hand" : "Overload",
                PageWords.Of(status.Level),
                status.Degradation.OverriddenUntil is { } until ? $"Ends {PageWords.Moment(until)}" : status.Degradation.Overridden ? "Until somebody gives it back" : "Falls a step at a time once every signal has recovered");
        }
    }

    private static PageProblem Of(WorkerStatus worker) => worker.State switch
    {
        WorkerState.Failed => new(2, "open", "s-worker", $"Worker {worker.Name}", $"Given up: {worker.LastFailure}", "The other workers go on", "It does not start again by itself"),
        WorkerState.Stuck => new(3, "half", "s-worker", $"Worker {worker.Name}", "Silent for too long", "The other workers go on", "Is replaced, or reported, after its timeout"),
        _ => new(6, "half", "s-worker", $"Worker {worker.Name}", $"Failed: {worker.LastFailure}", $"Started again {PageWords.Many(worker.Restarts, "time")}", "Starts again after its delay"),
    };
}
