namespace ResilientHost.Dashboard.Page;

/// <summary>How things stand, in a sentence.</summary>
/// <param name="Text">The sentence.</param>
/// <param name="Summary">What more there is to say: nothing that is not known.</param>
/// <param name="Short">For the title.</param>
/// <param name="Severity"><c>calm</c>, <c>noted</c>, <c>warned</c> or <c>broken</c>.</param>
/// <param name="Symbol">The sign of it.</param>
internal sealed record PageVerdict(string Text, string Summary, string Short, string Severity, string Symbol)
{
    // More are no sentence that is read at a glance; the table names them all.
    private const int MostParts = 2;

    public static PageVerdict Of(ResilienceStatus status, IReadOnlyList<PageProblem> problems)
    {
        var kinds = status.CircuitBreakers.CountBy(static circuit => PageWords.Of(circuit.State, circuit.Mode).Kind).ToDictionary();
        var (open, isolated, forced, half) = (kinds.GetValueOrDefault("open"), kinds.GetValueOrDefault("isolated"), kinds.GetValueOrDefault("forced"), kinds.GetValueOrDefault("half"));
        var held = isolated + forced;
        var severity = problems.Count == 0 ? "calm"
            : problems.Any(static problem => problem.Kind is "open" or "forced" or "isolated") ? "broken"
            : problems.Any(static problem => problem.Kind is "half") ? "warned"
            : "noted";
        return new(
            TextOf(status, problems, [(open, "open"), (isolated, "isolated"), (forced, "forced open"), (half, "half-open")]),
            SummaryOf(severity, problems),
            ShortOf(status, severity, problems.Count, open + held, half),
            severity,
            open > 0 ? "s-open" : held > 0 ? "s-isolated" : half > 0 ? "s-half" : severity switch { "broken" => "s-open", "warned" => "s-half", _ => "s-closed" });
    }

    private static string TextOf(ResilienceStatus status, IReadOnlyList<PageProblem> problems, ReadOnlySpan<(int Count, string Word)> circuits)
    {
        var states = new List<string>();
        foreach (var (count, word) in circuits)
        {
            if (count > 0)
            {
                states.Add(states.Count == 0 ? $"{PageWords.Many(count, "circuit")} {word}" : $"{PageWords.Number(count)} {word}");
            }
        }

        var ofTopic = problems.ToLookup(static problem => problem.Topic);
        var parts = new List<string>();
        Add(string.Join(", ", states));
        Add(ofTopic[PageTopic.SwitchedOff].Any() ? "all layers switched off" : "");
        Add(Named("errors at", ofTopic[PageTopic.Failing].Select(static problem => problem.What), "circuit"));
        Add(status.Level == ServiceLevel.Normal ? "" : $"service level {status.Level}");
        Add(ofTopic[PageTopic.Worker].Count() is > 0 and var workers ? $"{PageWords.Many(workers, "worker")} down" : "");
        Add(Named("no room in", ofTopic[PageTopic.Bulkhead].Select(static problem => PageWords.Uncapital(problem.What)), "bulkhead"));
        if (parts.Count > 0)
        {
            return PageWords.Capital(string.Join(states.Count > 1 ? "; " : " and ", parts.Take(MostParts)));
        }

        if (problems.Count > 0)
        {
            return $"{problems[0].What}: {PageWords.Uncapital(problems[0].Detail)}";
        }

        var closed = status.CircuitBreakers.Count(static circuit => circuit.Key is null && circuit.Mode != CircuitMode.Disabled);
        return closed == 0 ? "Nothing is broken" : $"All {PageWords.Many(closed, "circuit")} closed";

        void Add(string part)
        {
            if (part.Length > 0)
            {
                parts.Add(part);
            }
        }
    }

    private static string Named(string how, IEnumerable<string> names, string one)
    {
        var all = names.ToList();
        return all.Count switch { 0 => "", 1 => $"{how} {all[0]}", _ => $"{how} {PageWords.Many(all.Count, one)}" };
    }

    private static string SummaryOf(string severity, IReadOnlyList<PageProblem> problems) =>
        severity == "broken" ? "What is broken is listed with what protects from it."
        : problems.Any(static problem => problem.Refuses) ? "Some calls may be refused."
        : "No circuit refuses calls.";

    private static string ShortOf(ResilienceStatus status, string severity, int problems, int refusing, int half) =>
        refusing > 0 ? $"{PageWords.Number(refusing)} open"
        : half > 0 ? $"{PageWords.Number(half)} half-open"
        : severity is "broken" or "warned" ? PageWords.Many(problems, "problem")
        : status.Level != ServiceLevel.Normal ? status.Level.ToString()
        : "OK";
}
