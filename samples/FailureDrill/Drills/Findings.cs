using System.Diagnostics;
using FailureDrill.Load;

namespace FailureDrill.Drills;

/// <summary>For whom something must hold.</summary>
internal enum Whom
{
    Critical,
    Neighbours,
    Callers,
    Workers,
    Dependency,
    Process,
}

/// <summary>One expectation and what was seen.</summary>
internal sealed record Check(Whom Whom, string Statement, bool Holds, string Seen);

/// <summary>What one run of a drill found.</summary>
internal sealed class Findings
{
    // Verdicts must not depend on how busy the machine is: a neighbour that waits for a full shop waits for seconds.
    private const double NeighbourSuccess = 0.99;
    private const double NeighbourSlack = 10;
    private const double CriticalSuccess = 0.999;
    private static readonly TimeSpan NeighbourFloor = TimeSpan.FromMilliseconds(750);
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromSeconds(10);

    private readonly List<Check> _checks = [];
    private readonly Dictionary<string, object> _measured = new(StringComparer.Ordinal);

    public bool Passed => _checks.TrueForAll(check => check.Holds);

    public IEnumerable<Check> Broken => _checks.Where(check => !check.Holds);

    /// <summary>Numbers by name, as the JSON report has them.</summary>
    public IReadOnlyDictionary<string, object> Measured => _measured;

    public NeighbourReport? Neighbours { get; private set; }

    /// <summary>How what is critical fared, where the host itself is what is short.</summary>
    public NeighbourReport? Critical { get; private set; }

    /// <summary>How callers of what broke fared, and what reached those behind, where the service itself is not what breaks.</summary>
    public ServedReport? Served { get; private set; }

    public IReadOnlyDictionary<string, int> Callers { get; private set; } = new Dictionary<string, int>(StringComparer.Ordinal);

    public TimeSpan? TimeToRecover { get; private set; }

    public void Expect(Whom whom, string statement, bool holds, string seen = "") =>
        _checks.Add(new Check(whom, statement, holds, seen));

    public void Measure(string name, object value) => _measured[name] = value;

    public void JudgeNeighbours(LoadResult calm, LoadResult during, double success = NeighbourSuccess)
    {
        Neighbours = new NeighbourReport(during.Success, during.P99, calm.P99);
        Measure("neighbourRequests", during.Count);
        Measure("neighbours", during.Kinds);
        Measure("neighbourSuccess", Math.Round(during.Success, 4));
        Measure("neighbourP99Ms", Milliseconds(during.P99));
        Measure("neighbourCalmP99Ms", Milliseconds(calm.P99));

        var limit = calm.P99 * NeighbourSlack > NeighbourFloor ? calm.P99 * NeighbourSlack : NeighbourFloor;
        Expect(Whom.Neighbours, "are answered", during.Success >= success, $"{during.Success:P0} got 200");
        Expect(Whom.Neighbours, "do not wait", during.P99 <= limit, $"p99 {Milliseconds(during.P99)} ms");
    }

    /// <summary>Judges by the callers' own deadline: until the service has noticed that it is overloaded, what is critical waits with the rest.</summary>
    public void JudgeCritical(LoadResult calm, LoadResult during)
    {
        Critical = new NeighbourReport(during.Success, during.P99, calm.P99);
        Measure("criticalRequests", during.Count);
        Measure("criticalSuccess", Math.Round(during.Success, 4));
        Measure("criticalP99Ms", Milliseconds(during.P99));
        Measure("criticalCalmP99Ms", Milliseconds(calm.P99));
        Measure("critical", during.Kinds);
        Expect(Whom.Critical, "is answered within the callers' deadline", during.Success >= CriticalSuccess, $"{during.Success:P1} was");
    }

    public void RecordCallers(LoadResult attacked)
    {
        Callers = attacked.Kinds;
        Measure("callers", attacked.Kinds);
        Measure("callerP99Ms", Milliseconds(attacked.P99));
    }

    /// <summary>Writes down how callers fared, and how much of what they asked for reached those behind.</summary>
    /// <param name="asked">What callers got.</param>
    /// <param name="reached">How often those behind were asked.</param>
    /// <param name="what">What was counted of them.</param>
    public void RecordServed(LoadResult asked, long reached, string what = "calls upstream")
    {
        Served = new ServedReport(asked.Success, asked.P99, asked.Count, reached, what);
        RecordCallers(asked);
        Measure("callerRequests", asked.Count);
        Measure("callerSuccess", Math.Round(asked.Success, 4));
        Measure("reachedUpstream", reached);
    }

    /// <summary>Tries until the service is well again, and writes down how long that took.</summary>
    public async Task JudgeRecoveryAsync(Func<Task<bool>> isWell, CancellationToken cancellationToken) =>
        JudgeRecovery(Whom.Callers, "are served again after the repair", await MeasureRecoveryAsync(isWell, RecoveryLimit, cancellationToken), RecoveryLimit);

    /// <summary>Tries until the service is well again.</summary>
    /// <returns>How long that took; <see langword="null"/> when it took too long.</returns>
    public static async Task<TimeSpan?> MeasureRecoveryAsync(Func<Task<bool>> isWell, TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < limit)
        {
            if (await isWell())
            {
                return Stopwatch.GetElapsedTime(started);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }

        return null;
    }

    public void JudgeRecovery(Whom whom, string statement, TimeSpan? elapsed, TimeSpan limit)
    {
        TimeToRecover = elapsed;
        Measure("timeToRecoverMs", elapsed is { } time ? Milliseconds(time) : -1);
        Expect(whom, statement, elapsed is not null, $"not within {limit.TotalSeconds} s");
    }

    private static double Milliseconds(TimeSpan duration) => Math.Round(duration.TotalMilliseconds, 1);
}

/// <summary>How the rest of the service fared.</summary>
internal sealed record NeighbourReport(double Success, TimeSpan P99, TimeSpan CalmP99);

/// <summary>How callers of what broke fared.</summary>
/// <param name="Success">Share of answers with 200.</param>
/// <param name="P99">How long they took.</param>
/// <param name="Requests">How many they were.</param>
/// <param name="Reached">How often those behind were asked for them.</param>
/// <param name="ReachedWhat">What was counted of that.</param>
internal sealed record ServedReport(double Success, TimeSpan P99, int Requests, long Reached, string ReachedWhat);
