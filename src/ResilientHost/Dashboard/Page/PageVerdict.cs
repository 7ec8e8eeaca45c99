namespace ResilientHost.Dashboard.Page;

/// <summary>How things stand, in a sentence.</summary>
/// <param name="Text">The sentence.</param>
/// <param name="Summary">What more there is to say.</param>
/// <param name="Short">For the title.</param>
/// <param name="Severity"><c>calm</c>, <c>noted</c>, <c>warned</c> or <c>broken</c>.</param>
/// <param name="Symbol">The sign of it.</param>
internal sealed record PageVerdict(string Text, string Summary, string Short, string Severity, string Symbol)
{
    public static PageVerdict Of(ResilienceStatus status, IReadOnlyList<PageProblem> problems)
    {
        if (problems.Count == 0)
        {
            return new(status.CircuitBreakers.Count == 0 ? "Nothing is broken" : $"All {PageWords.Many(status.CircuitBreakers.Count, "circuit")} closed", "Nothing is refused.", "OK", "calm", "s-closed");
        }

        var kinds = status.CircuitBreakers.CountBy(static circuit => PageWords.Of(circuit.State, circuit.Mode).Kind).ToDictionary();
        int[] counts = [kinds.GetValueOrDefault("open"), kinds.GetValueOrDefault("isolated"), kinds.GetValueOrDefault("forced"), kinds.GetValueOrDefault("half")];
        string[] words = ["open", "isolated", "forced open", "half-open"];
        var states = counts.Zip(words).Where(static state => state.First > 0).Select(static (state, i) => i == 0 ? $"{PageWords.Many(state.First, "circuit")} {state.Second}" : $"{state.First} {state.Second}").ToList();
        var parts = new List<string>();
        if (states.Count > 0)
        {
            parts.Add(string.Join(", ", states));
        }

        if (status.Level != ServiceLevel.Normal)
        {
            parts.Add(parts.Count == 0 ? $"Service level {status.Level}" : $"service level {status.Level}");
        }

        var worst = problems[0];
        var text = parts.Count == 0 ? $"{worst.What}: {worst.Detail}" : string.Join(states.Count > 1 ? "; " : " and ", parts);
        var held = counts[0] + counts[1] + counts[2];
        var severity = worst.Kind switch { "open" or "forced" or "isolated" => "broken", "half" => "warned", _ => "noted" };
        return new(
            text,
            severity == "broken" ? "What is broken is listed with what protects from it." : "Requests are not affected.",
            held > 0 ? $"{held} open" : counts[3] > 0 ? $"{counts[3]} half-open" : PageWords.Many(problems.Count, "problem"),
            severity,
            counts[0] > 0 ? "s-open" : held > 0 ? "s-isolated" : severity switch { "broken" => "s-open", "warned" => "s-half", _ => "s-closed" });
    }
}
