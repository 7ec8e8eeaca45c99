using System.Globalization;

namespace ResilientHost.Dashboard.Page;

/// <summary>How the page words signals; the script words them the same.</summary>
internal static class PageSignals
{
    private enum Unit
    {
        Number,
        Share,
        Seconds,
        PerSecond,
    }

    public static string NameOf(SignalStatus signal) => Of(signal.Name).Name;

    /// <summary>A value of a signal in its unit.</summary>
    public static string Figure(SignalStatus signal, double? value) => value is not { } number ? "–" : Of(signal.Name).Unit switch
    {
        Unit.Share => $"{(number * 100).ToString(number is not 0 and < 0.1 ? "0.0" : "0", CultureInfo.InvariantCulture)} %",
        Unit.Seconds => PageWords.Time(number),
        Unit.PerSecond => PageWords.Rate(number),
        _ => number >= 1000 ? number.ToString("N0", CultureInfo.InvariantCulture) : number.ToString("0.##", CultureInfo.InvariantCulture),
    };

    /// <summary>Where it may fall and where it rises; the unit is told once.</summary>
    public static string Range(SignalStatus signal)
    {
        var (from, to) = (Figure(signal, signal.Exit), Figure(signal, signal.Enter));
        var unit = to[to.AsSpan().TrimEnd(" %/abcdefghijklmnopqrstuvwxyz").Length..];
        return $"{(unit.Length > 0 && from.EndsWith(unit, StringComparison.Ordinal) ? from[..^unit.Length] : from)}–{to}";
    }

    private static (string Name, Unit Unit) Of(string name) => name switch
    {
        "cpu" => ("CPU", Unit.Share),
        "memory" => ("Memory", Unit.Share),
        "memory_projected" => ("Memory in 10 s", Unit.Share),
        "gc_pause" => ("GC pauses", Unit.Share),
        "thread_pool_delay" => ("Thread pool delay", Unit.Seconds),
        "thread_pool_queue" => ("Thread pool queue", Unit.Number),
        "lock_contention" => ("Lock contention", Unit.PerSecond),
        "file_descriptors" => ("File descriptors", Unit.Share),
        "cpu_pressure" => ("CPU pressure", Unit.Share),
        "memory_pressure" => ("Memory pressure", Unit.Share),
        "memory_events" => ("Memory limit hits", Unit.PerSecond),
        _ => (PageWords.Capital(name.Replace('_', ' ')), Unit.Number),
    };
}
