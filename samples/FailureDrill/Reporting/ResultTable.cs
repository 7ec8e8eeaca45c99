using FailureDrill.Drills;

namespace FailureDrill.Reporting;

/// <summary>The results for people.</summary>
internal static class ResultTable
{
    public static void Write(TextWriter output, IReadOnlyList<DrillResult> results)
    {
        var table = new TextTable(("failure", 21), ("with layers", 29), ("without layers", 29), ("verdict", 35));
        output.WriteLine();
        table.WriteHead(output);
        foreach (var result in results)
        {
            table.WriteRow(
                output,
                [[result.Drill.Name, result.Drill.Failure], [.. Describe(result.WithLayers)], [.. Describe(result.WithoutLayers)], [.. Judge(result)]]);
            table.WriteRule(output);
        }

        var run = results.Where(result => result.WhySkipped is null).ToList();
        var passed = run.Count(result => result.WithLayers.Passed);
        var ruined = run.Count(result => !result.WithoutLayers.Passed);
        var skipped = run.Count < results.Count ? $" {results.Count - run.Count} skipped." : "";
        output.WriteLine($"{passed} of {run.Count} drills hold with the layers; {run.Count - ruined} of {run.Count} without them.{skipped}");
    }

    private static IEnumerable<string> Describe(Findings findings)
    {
        if (findings.Neighbours is { } neighbours)
        {
            yield return $"neighbours {neighbours.Success:P1} ok, p99 {Show(neighbours.P99)} (calm {Show(neighbours.CalmP99)})";
        }

        if (findings.Critical is { } critical)
        {
            yield return $"critical {critical.Success:P1} ok, p99 {Show(critical.P99)} (calm {Show(critical.CalmP99)})";
        }

        if (findings.Served is { } served)
        {
            yield return $"callers {served.Success:P1} ok, p99 {Show(served.P99)}; {served.Reached} {served.ReachedWhat} for {served.Requests} requests";
        }

        if (findings.Callers.Count > 0)
        {
            yield return "callers " + string.Join(", ", findings.Callers.Select(kind => $"{kind.Value} × {kind.Key}"));
        }

        if (findings.TimeToRecover is { } recovery)
        {
            yield return $"well again after {Show(recovery)}";
        }
    }

    private static IEnumerable<string> Judge(DrillResult result)
    {
        if (result.WhySkipped is { } reason)
        {
            yield return $"skipped, so that nothing is known of it: {reason}";
        }
        else if (!result.WithLayers.Passed)
        {
            yield return "FAILED with the layers:";
            foreach (var broken in result.WithLayers.Broken)
            {
                yield return Tell(broken);
            }
        }
        else if (result.WithoutLayers.Passed)
        {
            yield return $"holds, and without the layers too: {result.Drill.WhyItMayHoldWithout}";
        }
        else
        {
            yield return "holds; without the layers not:";
            foreach (var broken in result.WithoutLayers.Broken)
            {
                yield return Tell(broken);
            }

            if (result.WithoutLayers.Neighbours is not null && result.WithoutLayers.Broken.All(broken => broken.Whom != Whom.Neighbours))
            {
                yield return "Its neighbours were not harmed without the layers either.";
            }

            if (result.WithoutLayers.Critical is not null && result.WithoutLayers.Broken.All(broken => broken.Whom != Whom.Critical))
            {
                yield return "What is critical was not harmed without the layers either.";
            }
        }
    }

    private static string Tell(Check broken) =>
        $"· {broken.Whom.ToString().ToLowerInvariant()}: \"{broken.Statement}\"" + (broken.Seen.Length > 0 ? $" ({broken.Seen})" : "");

    private static string Show(TimeSpan duration) =>
        duration >= TimeSpan.FromSeconds(1) ? $"{duration.TotalSeconds:F1} s" : $"{duration.TotalMilliseconds:F0} ms";
}
