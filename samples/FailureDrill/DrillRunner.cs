using System.Diagnostics;
using FailureDrill.Drills;
using FailureDrill.Reporting;

namespace FailureDrill;

/// <summary>What one drill found, with the layers and without.</summary>
/// <param name="Drill">The drill.</param>
/// <param name="WithLayers">Nothing, where it was skipped.</param>
/// <param name="WithoutLayers">Nothing, where it was skipped.</param>
internal sealed record DrillResult(Drill Drill, Findings WithLayers, Findings WithoutLayers)
{
    /// <summary>Why it was not run, which counts neither for nor against anything; <see langword="null"/>: it was.</summary>
    public string? WhySkipped => Drill.WhyNot;
}

/// <summary>Runs drills one after another, each against a fresh service, so that nothing of one drill reaches the next.</summary>
internal sealed class DrillRunner(Progress progress)
{
    public async Task<IReadOnlyList<DrillResult>> RunAsync(IReadOnlyList<Drill> drills, CancellationToken cancellationToken)
    {
        var results = new List<DrillResult>();
        foreach (var drill in drills)
        {
            if (drill.WhyNot is { } reason)
            {
                progress.Skip(drill.Name, reason);
                results.Add(new DrillResult(drill, new Findings(), new Findings()));
                continue;
            }

            var with = await RunAsync(drill, layers: true, cancellationToken);
            var without = await RunAsync(drill, layers: false, cancellationToken);
            results.Add(new DrillResult(drill, with, without));
        }

        return results;
    }

    private async Task<Findings> RunAsync(Drill drill, bool layers, CancellationToken cancellationToken)
    {
        var title = $"{drill.Name}, {(layers ? "with" : "without")} layers";
        progress.Begin(title);
        var started = Stopwatch.GetTimestamp();
        var findings = new Findings();

        await drill.RunAsync(layers, findings, cancellationToken);
        progress.End(title, findings, Stopwatch.GetElapsedTime(started));
        return findings;
    }
}
