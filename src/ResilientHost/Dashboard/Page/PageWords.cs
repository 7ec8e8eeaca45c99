using System.Globalization;

namespace ResilientHost.Dashboard.Page;

/// <summary>How the page words states and figures; the script words them the same.</summary>
internal static class PageWords
{
    /// <summary>What a circuit looks like: the kind that the style sheet knows, its sign and its word.</summary>
    public static (string Kind, string Symbol, string Word) Of(CircuitState state, CircuitMode mode = CircuitMode.Enforce) => (mode, state) switch
    {
        (CircuitMode.Disabled, _) => ("off", "s-off", "Disabled"),
        (CircuitMode.ForcedOpen, _) => ("forced", "s-forced", "Forced open"),
        (_, CircuitState.Isolated) => ("isolated", "s-isolated", "Isolated"),
        (_, CircuitState.Closed) => ("closed", "s-closed", "Closed"),
        (CircuitMode.Shadow, CircuitState.HalfOpen) => ("shadow", "s-shadow", "Would be half-open"),
        (CircuitMode.Shadow, _) => ("shadow", "s-shadow", "Would be open"),
        (_, CircuitState.HalfOpen) => ("half", "s-half", "Half-open"),
        _ => ("open", "s-open", "Open"),
    };

    public static (string Kind, string Symbol, string Word) Of(WorkerState state) => state switch
    {
        WorkerState.Failed => ("open", "s-open", "Failed"),
        WorkerState.Stuck => ("half", "s-half", "Stuck"),
        WorkerState.BackingOff => ("half", "s-half", "Backing off"),
        WorkerState.Paused => ("shadow", "s-shadow", "Paused"),
        WorkerState.Stopping => ("shadow", "s-shadow", "Stopping"),
        WorkerState.Running => ("closed", "s-closed", "Running"),
        WorkerState.Created => ("off", "s-off", "Not started"),
        WorkerState.Completed => ("off", "s-off", "Completed"),
        _ => ("off", "s-off", "Stopped"),
    };

    public static string Of(ServiceLevel level) => level switch
    {
        ServiceLevel.Normal => "Everything is served",
        ServiceLevel.Reduced => "Sheddable endpoints are turned down",
        ServiceLevel.Essential => "Only critical endpoints, and a trickle of others",
        _ => "Only critical endpoints",
    };

    public static string NameOf(CircuitBreakerStatus circuit) => circuit.Key is { } key ? $"{circuit.Name} · {key}" : circuit.Name;

    public static string Many(long count, string one) => count == 1 ? $"1 {one}" : $"{Number(count)} {one}s";

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Share(double ratio) => ratio switch
    {
        0 => "0 %",
        < 0.001 => "<0.1 %",
        < 0.0995 => $"{(ratio * 100).ToString("0.0", CultureInfo.InvariantCulture)} %",
        _ => $"{(ratio * 100).ToString("0", CultureInfo.InvariantCulture)} %",
    };

    public static string Rate(double? perSecond) => perSecond is { } rate
        ? $"{rate.ToString(rate is > 0 and < 9.95 ? "0.0" : "N0", CultureInfo.InvariantCulture)}/s"
        : "–";

    public static string Time(double? seconds) => seconds switch
    {
        null => "–",
        < 0.00995 => $"{(seconds.Value * 1000).ToString("0.0", CultureInfo.InvariantCulture)} ms",
        < 0.9995 => $"{(seconds.Value * 1000).ToString("0", CultureInfo.InvariantCulture)} ms",
        _ => $"{seconds.Value.ToString("0.0", CultureInfo.InvariantCulture)} s",
    };

    public static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 60 } => $"{Math.Max(0, (int)span.TotalSeconds)} s",
        { TotalHours: < 1 } => $"{(int)span.TotalMinutes} min",
        { TotalHours: < 48 } => $"{(int)span.TotalHours} h",
        _ => $"{(int)span.TotalDays} days",
    };

    public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy, HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    public static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy", CultureInfo.InvariantCulture);
}
