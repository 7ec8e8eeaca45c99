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

    /// <summary>How much of a limit is used.</summary>
    public static string Of(int used, int? limit) => limit is { } most ? $"{Number(used)} / {Number(most)}" : Number(used);

    public static string NameOf(CircuitBreakerStatus circuit) => circuit.Key is { } key ? $"{circuit.Name} · {key}" : circuit.Name;

    /// <summary>When a circuit that is open lets calls through again.</summary>
    public static string HalfOpens(double? left) => left switch
    {
        null => "Half-opens when its break is over",
        > 0 => $"Half-opens in {Span(TimeSpan.FromSeconds(left.Value))}",
        _ => "Half-opens now",
    };

    public static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>As it goes on within a sentence. Names keep what is theirs: an abbreviation, a method.</summary>
    public static string Uncapital(string text) => text.Length > 1 && char.IsLower(text[1]) ? char.ToLowerInvariant(text[0]) + text[1..] : text;

    /// <summary>The words of a name such as <c>nameMismatch</c>.</summary>
    public static string Spaced(string name) =>
        string.Concat(name.Select((letter, i) => i > 0 && char.IsUpper(letter) && char.IsLower(name[i - 1]) ? $" {letter}" : letter == '_' ? " " : letter.ToString())).ToLowerInvariant();

    /// <summary>A type without its namespace.</summary>
    public static string TypeName(string type) => type[(type.LastIndexOf('.') + 1)..];

    public static string Many(long count, string one) => $"{Number(count)} {one}{(count == 1 ? "" : "s")}";

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Share(double ratio) => ratio switch
    {
        0 => "0 %",
        < 0.001 => "<0.1 %",
        < 0.0995 => $"{Fixed(ratio * 100, 1)} %",
        _ => $"{Fixed(ratio * 100, 0)} %",
    };

    public static string Rate(double? perSecond) => perSecond switch
    {
        null => "–",
        0 => "0/s",
        < 0.1 => "<0.1/s",
        < 9.95 => $"{Fixed(perSecond.Value, 1)}/s",
        < 9950 => $"{Number((long)Math.Round(perSecond.Value, MidpointRounding.AwayFromZero))}/s",
        _ => $"{Fixed(perSecond.Value / 1000, 1)}k/s",
    };

    public static string Time(double? seconds) => seconds switch
    {
        null => "–",
        > 0 and < 0.00001 => "<0.01 ms",
        < 0.000995 => $"{Fixed(seconds.Value * 1000, 2)} ms",
        < 0.00995 => $"{Fixed(seconds.Value * 1000, 1)} ms",
        < 0.9995 => $"{Fixed(seconds.Value * 1000, 0)} ms",
        < 9.995 => $"{Fixed(seconds.Value, 2)} s",
        _ => $"{Fixed(seconds.Value, 1)} s",
    };

    public static string Span(TimeSpan span)
    {
        var seconds = (long)Math.Round(Math.Max(0, span.TotalSeconds), MidpointRounding.AwayFromZero);
        var (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
        return seconds switch
        {
            < 60 => $"{seconds} s",
            < 600 when seconds % 60 > 0 => $"{minutes} min {seconds % 60} s",
            < 3600 => $"{minutes} min",
            < 48 * 3600 => minutes > 0 ? $"{hours} h {minutes} min" : $"{hours} h",
            _ => $"{hours / 24} days",
        };
    }

    public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy, HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    public static string Minute(DateTimeOffset at) => at.UtcDateTime.ToString("HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy", CultureInfo.InvariantCulture);

    private static string Fixed(double number, int digits) => number.ToString($"F{digits}", CultureInfo.InvariantCulture);
}
