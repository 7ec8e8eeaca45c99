namespace ResilientHost.History;

/// <summary>What is kept of the last minutes and the last hour: the body of <c>GET history</c>.</summary>
/// <param name="Instance">The process.</param>
/// <param name="At">End of the newest second.</param>
/// <param name="IntervalSeconds">Width of one value of a circuit.</param>
/// <param name="Circuits">Those whose history is kept, by name.</param>
/// <param name="Service">The service as a whole.</param>
/// <param name="Levels">The service level, oldest first.</param>
/// <param name="Workers">By name.</param>
/// <param name="Events">The latest log events, oldest first.</param>
internal sealed record ResilienceHistory(
    string Instance,
    DateTimeOffset At,
    double IntervalSeconds,
    IReadOnlyList<CircuitHistory> Circuits,
    ServiceHistory Service,
    IReadOnlyList<LevelSegment> Levels,
    IReadOnlyList<WorkerHistory> Workers,
    IReadOnlyList<LoggedEvent> Events);

/// <summary>One circuit, by second: arrays of equal length, at most 120 long, the newest last.</summary>
/// <param name="Name">Name of the breaker.</param>
/// <param name="Key">Always <see langword="null"/>: partitions share the history of the whole.</param>
/// <param name="Calls">Calls that were let through and have ended, however they did.</param>
/// <param name="Failures">Those of them that failed.</param>
/// <param name="Refused">Calls that the circuit refused.</param>
/// <param name="P50Seconds">Median duration over the last 2 minutes or less; <see langword="null"/> without samples.</param>
/// <param name="P90Seconds">90th percentile.</param>
/// <param name="P99Seconds">99th percentile.</param>
/// <param name="States">Up to 100 segments of the last hour, oldest first. Of a circuit with partitions the worst state of any.</param>
internal sealed record CircuitHistory(
    string Name,
    string? Key,
    int[] Calls,
    int[] Failures,
    int[] Refused,
    double? P50Seconds,
    double? P90Seconds,
    double? P99Seconds,
    IReadOnlyList<StateSegment> States);

/// <summary>The golden signals of all endpoints together: arrays of equal length, at most 720 long, the newest last.</summary>
/// <param name="IntervalSeconds">Width of one value.</param>
/// <param name="To">End of the newest value.</param>
/// <param name="Rate">Requests that were let through, per second.</param>
/// <param name="Errors">Those of them that failed, per second, also where a fallback answered.</param>
/// <param name="Refused">Requests that any layer refused, per second.</param>
/// <param name="P50Seconds">Median duration; <see langword="null"/> without samples.</param>
/// <param name="P90Seconds">90th percentile.</param>
/// <param name="P99Seconds">99th percentile.</param>
/// <param name="InFlight">Requests inside the endpoints' bulkheads.</param>
/// <param name="Saturation">The worst deciding signal as a share of its threshold: 1 is where the level rises.</param>
internal sealed record ServiceHistory(
    double IntervalSeconds,
    DateTimeOffset To,
    double[] Rate,
    double[] Errors,
    double[] Refused,
    double?[] P50Seconds,
    double?[] P90Seconds,
    double?[] P99Seconds,
    double[] InFlight,
    double[] Saturation);

/// <summary>A stretch of time in one state.</summary>
/// <param name="State">The state, as the status names it.</param>
/// <param name="From">Since when.</param>
/// <param name="To">Until when; <see langword="null"/>: now.</param>
internal sealed record StateSegment(string State, DateTimeOffset From, DateTimeOffset? To);

/// <summary>A stretch of time at one service level.</summary>
/// <param name="Level">The level, as the status names it.</param>
/// <param name="From">Since when.</param>
/// <param name="To">Until when; <see langword="null"/>: now.</param>
internal sealed record LevelSegment(string Level, DateTimeOffset From, DateTimeOffset? To);

/// <summary>The last hour of one worker.</summary>
/// <param name="Name">Name of the worker.</param>
/// <param name="States">Up to 100 segments, oldest first.</param>
internal sealed record WorkerHistory(string Name, IReadOnlyList<StateSegment> States);
