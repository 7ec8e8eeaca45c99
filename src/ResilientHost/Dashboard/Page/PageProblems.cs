namespace ResilientHost.Dashboard.Page;

/// <summary>Finds what is broken. The script finds the same, and what only moving figures tell besides.</summary>
internal static class PageProblems
{
    private const int OfCertificateDays = 14;
    private const int SoonDays = 2;

    // A single failure is no trouble, and a few in a hundred are what circuits are for.
    private const int FewestFailures = 3;
    private const double LeastRatio = 0.1;
    private const double BadRatio = 0.5;

    /// <summary>All there are, the worst first.</summary>
    public static IReadOnlyList<PageProblem> Of(ResilienceStatus status, ConfigurationStatus configuration, DateTimeOffset now) =>
    [
        .. status.CircuitBreakers.SelectMany(circuit => OfCircuit(circuit, PageFallbacks.Of(status, circuit), now))
            .Concat(status.Bulkheads.Where(static bulkhead => bulkhead.Refused > 0 && bulkhead.InFlight >= bulkhead.Limit).Select(OfBulkhead))
            .Concat(status.HttpClients.SelectMany(client => client.Authorities.SelectMany(authority => OfCertificate($"{client.Name} → {authority.Authority}", authority, now))))
            .Concat(OfLevel(status, now))
            .Concat(status.Workers.SelectMany(worker => OfWorker(worker, now)))
            .Concat(OfConfiguration(configuration))
            .Concat(status.IsolatedTasks.Where(static tasks => tasks.IsLeaking).Select(OfTasks))
            .Concat(OfProcess(status))
            .OrderBy(static problem => problem.Rank)
            .ThenBy(static problem => problem.What, StringComparer.Ordinal),
    ];

    private static IEnumerable<PageProblem> OfCircuit(CircuitBreakerStatus circuit, string? fallback, DateTimeOffset now)
    {
        var (kind, symbol, word) = PageWords.Of(circuit.State, circuit.Mode);
        var what = PageWords.NameOf(circuit);
        var detail = $"{word} for {PageWords.Span(now - circuit.Since)}";
        var refusing = fallback ?? (circuit.Refused == 0 ? "Calls are refused at once" : $"Calls are refused at once, {PageWords.Number(circuit.Refused)} so far");
        switch (kind)
        {
            case "open":
                yield return new(PageTopic.Refusing, 0, kind, symbol, what, detail, refusing, PageWords.HalfOpens(circuit.RetryAfterSeconds));
                break;
            case "forced":
                yield return new(PageTopic.Refusing, 0.1, kind, symbol, what, detail, refusing, "Until its mode is changed");
                break;
            case "isolated":
                yield return new(PageTopic.Refusing, 0.2, kind, symbol, what, detail, refusing, "Stays so until somebody resets it");
                break;
            case "half":
                yield return new(PageTopic.Probing, 5, kind, symbol, what, detail, "Only probes get through", "Closes when its probes succeed, opens again when not");
                break;
            case "shadow":
                yield return new(PageTopic.Watching, 9, kind, symbol, what, detail, fallback ?? "Nothing: it only watches (Shadow)", $"Would have refused {PageWords.Many(circuit.WouldHaveRefused, "call")}");
                break;
            default:
                if (circuit.Failures >= FewestFailures && circuit.FailureRatio >= LeastRatio)
                {
                    var isBad = circuit.FailureRatio >= BadRatio;
                    yield return new(
                        PageTopic.Failing,
                        isBad ? 1 : 4.5,
                        isBad ? "open" : "half",
                        "s-note",
                        what,
                        $"{PageWords.Share(circuit.FailureRatio)} of {PageWords.Many(circuit.Calls, "call")} failed",
                        fallback ?? (kind == "off" ? "Nothing: it is disabled" : circuit.Mode == CircuitMode.Shadow ? "Nothing: it only watches (Shadow)" : "Nothing yet: it is closed"),
                        kind == "off" ? "Until its mode is changed" : "Opens at its thresholds");
                }

                break;
        }
    }

    private static PageProblem OfBulkhead(BulkheadStatus bulkhead) => new(
        PageTopic.Bulkhead,
        3.2,
        "half",
        "s-note",
        $"Bulkhead {bulkhead.Name}",
        $"Full: {PageWords.Number(bulkhead.InFlight)} in flight{(bulkhead.Queued > 0 ? $", {PageWords.Number(bulkhead.Queued)} waiting" : "")}",
        $"Further calls are refused, {PageWords.Number(bulkhead.Refused)} so far",
        "Takes calls again as others end");

    private static IEnumerable<PageProblem> OfCertificate(string what, AuthorityStatus authority, DateTimeOffset now)
    {
        if (authority.CertificateFault is { } fault)
        {
            yield return new(PageTopic.Other, 6, "half", "s-fuse", what, $"Certificate: {PageWords.Spaced(fault)}", "Nothing here", "Somebody has to replace it");
        }
        else if (authority.CertificateExpiresAt is { } end && end - now < TimeSpan.FromDays(OfCertificateDays))
        {
            var isSoon = end - now < TimeSpan.FromDays(SoonDays);
            yield return new(
                PageTopic.Other,
                isSoon ? 4 : 7,
                isSoon ? "open" : "half",
                "s-fuse",
                what,
                end < now ? "Certificate has expired" : $"Certificate expires in {PageWords.Span(end - now)}",
                "Nothing: calls fail from then on",
                $"{PageWords.Day(end)}, unless it is replaced");
        }
    }

    private static IEnumerable<PageProblem> OfLevel(ResilienceStatus status, DateTimeOffset now)
    {
        var (level, degradation) = (status.Level, status.Degradation);
        if (level == ServiceLevel.Normal && !degradation.Overridden)
        {
            yield break;
        }

        var worst = status.Signals.Where(static signal => signal.Decides && signal.Value is not null).MaxBy(static signal => signal.Value / signal.Enter);
        var turnsDown = level != ServiceLevel.Normal && (degradation.Mode == DegradationMode.Enforce || degradation.Overridden);
        yield return new(
            turnsDown ? PageTopic.Shedding : PageTopic.Level,
            level switch { ServiceLevel.Normal => 8.5, ServiceLevel.Reduced => 4, _ => 0.5 },
            level switch { ServiceLevel.Normal => "shadow", ServiceLevel.Reduced => "half", _ => "open" },
            "s-level",
            $"Service level {level}",
            degradation.Overridden ? "Set by hand" : worst is null ? "Overload" : $"{PageSignals.NameOf(worst)} at {PageSignals.Figure(worst, worst.Value)}",
            turnsDown || level == ServiceLevel.Normal ? PageWords.Of(level) : "Nothing: requests are only counted",
            (degradation.Overridden, degradation.OverriddenUntil) switch
            {
                (true, { } until) => $"Ends {PageWords.Minute(until)}, in {PageWords.Span(until - now)}",
                (true, null) => "Until somebody gives it back",
                _ => worst is null ? "Falls a step at a time" : $"Falls a step at a time once {PageSignals.NameOf(worst)} is at {PageSignals.Figure(worst, worst.Exit)}",
            });
    }

    private static IEnumerable<PageProblem> OfWorker(WorkerStatus worker, DateTimeOffset now)
    {
        var (what, failure) = ($"Worker {worker.Name}", worker.LastFailure is { } type ? PageWords.TypeName(type) : null);
        switch (worker.State)
        {
            case WorkerState.Failed:
                yield return new(PageTopic.Worker, 2, "open", "s-worker", what, failure is null ? "Given up" : $"Given up: {failure}", "The other workers go on", "It does not start again by itself");
                break;
            case WorkerState.Stuck:
                yield return new(PageTopic.Worker, 3, "half", "s-worker", what, worker.LastHeartbeat is { } heard ? $"Silent for {PageWords.Span(now - heard)}" : "Silent for too long", "The other workers go on", "Is replaced, or reported, after its timeout");
                break;
            case WorkerState.BackingOff:
                yield return new(PageTopic.Other, 6, "half", "s-worker", what, failure is null ? "Failed" : $"Failed: {failure}", $"Started again {PageWords.Many(worker.Restarts, "time")}", "Starts again after its delay");
                break;
        }
    }

    // Switches that somebody has turned off: the suite's own, or a layer's.
    private static IEnumerable<PageProblem> OfConfiguration(ConfigurationStatus configuration)
    {
        foreach (var entry in configuration.Entries.Where(static entry => entry.Value == "false"))
        {
            if (entry.Key == "Enabled")
            {
                yield return new(PageTopic.SwitchedOff, 2.5, "half", "s-off", "All layers", "Switched off", "Nothing", $"Until Enabled is set ({entry.Source})");
            }
            else if (entry.Key.EndsWith(":Enabled", StringComparison.Ordinal) && entry.Key.AsSpan().Count(':') == 1)
            {
                yield return new(PageTopic.Other, 8, "shadow", "s-off", $"Layer {entry.Key[..^":Enabled".Length]}", "Switched off", "Nothing", $"Until Enabled is set ({entry.Source})");
            }
        }

        if (configuration is { LastRefusal: not null, LastRefusedAt: { } at })
        {
            yield return new(PageTopic.Other, 6.5, "half", "s-note", "Configuration", $"Reload refused {PageWords.Minute(at)}", "The last good one serves", "The next valid one applies");
        }
    }

    private static PageProblem OfTasks(IsolatedTaskStatus tasks) => new(
        PageTopic.Other, 7, "half", "s-note", $"Tasks {tasks.Name}", $"{PageWords.Many(tasks.Live, "task")} left behind and growing", "Nothing", tasks.Origin is { } origin ? $"Look at {origin}" : "Grows until memory is short");

    private static IEnumerable<PageProblem> OfProcess(ResilienceStatus status)
    {
        if (status.IsTainted)
        {
            yield return new(PageTopic.Other, 7.5, "half", "s-note", "Process", "An exception that nothing caught was contained", "The process goes on", "Restart it when convenient");
        }

        if (status.IsDraining)
        {
            yield return new(PageTopic.Other, 3.5, "shadow", "s-note", "Instance", "Draining", "No new requests are routed here", "It stops once its requests have ended");
        }
    }
}
