using System.Runtime.InteropServices;

namespace ResilientHost.History;

/// <summary>What one second has added to the history.</summary>
/// <param name="At">End of the second.</param>
/// <param name="Circuits">Those with calls or refusals in it, in no particular order.</param>
/// <param name="Service">The service as a whole.</param>
internal sealed record HistorySample(DateTimeOffset At, IReadOnlyList<CircuitSample> Circuits, ServiceSample Service);

/// <summary>One circuit in one second; as in <see cref="CircuitHistory"/>.</summary>
/// <param name="Name">Name of the breaker.</param>
/// <param name="Key">Always <see langword="null"/>.</param>
/// <param name="Calls">Calls that have ended.</param>
/// <param name="Failures">Those of them that failed.</param>
/// <param name="Refused">Calls that the circuit refused.</param>
/// <param name="P50Seconds">Median duration over the last 2 minutes or less.</param>
/// <param name="P90Seconds">90th percentile.</param>
/// <param name="P99Seconds">99th percentile.</param>
internal sealed record CircuitSample(string Name, string? Key, int Calls, int Failures, int Refused, double? P50Seconds, double? P90Seconds, double? P99Seconds);

/// <summary>The service in one second; as in <see cref="ServiceHistory"/>.</summary>
/// <param name="Rate">Requests that were let through, per second.</param>
/// <param name="Errors">Those of them that failed.</param>
/// <param name="Refused">Requests that any layer refused.</param>
/// <param name="P50Seconds">Median duration of this second.</param>
/// <param name="P90Seconds">90th percentile.</param>
/// <param name="P99Seconds">99th percentile.</param>
/// <param name="InFlight">Requests inside.</param>
/// <param name="Saturation">The worst deciding signal as a share of its threshold.</param>
/// <param name="Level">The service level.</param>
internal sealed record ServiceSample(double Rate, double Errors, double Refused, double? P50Seconds, double? P90Seconds, double? P99Seconds, double InFlight, double Saturation, ServiceLevel Level);

/// <summary>What the history knows of one circuit at present.</summary>
/// <param name="CallsPerSecond">Over the last 10 s.</param>
/// <param name="P50Seconds">Median duration over the last 2 minutes or less; <see langword="null"/> without samples.</param>
/// <param name="P90Seconds">90th percentile.</param>
/// <param name="P99Seconds">99th percentile.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CircuitRates(double CallsPerSecond, double? P50Seconds, double? P90Seconds, double? P99Seconds);
