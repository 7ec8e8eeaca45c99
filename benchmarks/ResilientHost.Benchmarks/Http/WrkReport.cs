using System.Globalization;
using System.Text.RegularExpressions;

namespace ResilientHost.Benchmarks.Http;

/// <summary>What wrk says of one run.</summary>
/// <param name="Requests">Requests that were answered.</param>
/// <param name="RequestsPerSecond">The same by time.</param>
/// <param name="P50">Median latency, in milliseconds.</param>
/// <param name="P99">99th percentile of the latency, in milliseconds.</param>
/// <param name="Failures">Answers that were neither 2xx nor 3xx.</param>
/// <param name="SocketErrors">Connections that failed, reads and writes that did, and requests that timed out.</param>
internal sealed partial record WrkReport(long Requests, double RequestsPerSecond, double P50, double P99, long Failures, long SocketErrors)
{
    /// <exception cref="FormatException">The text is not such a report.</exception>
    public static WrkReport Parse(string text) => new(
        long.Parse(Find(RequestsLine(), text) ?? throw NotAReport(text), CultureInfo.InvariantCulture),
        double.Parse(Find(RateLine(), text) ?? throw NotAReport(text), CultureInfo.InvariantCulture),
        Milliseconds(Find(MedianLine(), text) ?? throw NotAReport(text)),
        Milliseconds(Find(TailLine(), text) ?? throw NotAReport(text)),
        long.Parse(Find(FailuresLine(), text) ?? "0", CultureInfo.InvariantCulture),
        SocketErrorsLine().Match(text) is { Success: true } errors ? errors.Groups["count"].Captures.Sum(count => long.Parse(count.Value, CultureInfo.InvariantCulture)) : 0);

    private static string? Find(Regex line, string text) => line.Match(text) is { Success: true } match ? match.Groups["value"].Value : null;

    private static double Milliseconds(string duration)
    {
        var unit = duration.TrimStart('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.');
        var value = double.Parse(duration[..^unit.Length], CultureInfo.InvariantCulture);
        return unit switch
        {
            "us" => value / 1_000,
            "ms" => value,
            "s" => value * 1_000,
            "m" => value * 60_000,
            _ => throw NotAReport(duration),
        };
    }

    private static FormatException NotAReport(string text) => new($"wrk was not understood. It said: {text}");

    [GeneratedRegex(@"^ *(?<value>\d+) requests in", RegexOptions.Multiline)]
    private static partial Regex RequestsLine();

    [GeneratedRegex(@"^Requests/sec: *(?<value>[\d.]+)", RegexOptions.Multiline)]
    private static partial Regex RateLine();

    [GeneratedRegex(@"^ *50% *(?<value>[\d.]+[a-z]+)", RegexOptions.Multiline)]
    private static partial Regex MedianLine();

    [GeneratedRegex(@"^ *99% *(?<value>[\d.]+[a-z]+)", RegexOptions.Multiline)]
    private static partial Regex TailLine();

    [GeneratedRegex(@"^ *Non-2xx or 3xx responses: *(?<value>\d+)", RegexOptions.Multiline)]
    private static partial Regex FailuresLine();

    [GeneratedRegex(@"^ *Socket errors:(?:[ ,]*[a-z]+ (?<count>\d+))+", RegexOptions.Multiline)]
    private static partial Regex SocketErrorsLine();
}
