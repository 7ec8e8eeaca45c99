using System.Diagnostics.Tracing;
using System.Text.RegularExpressions;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>Why the last export of this thread failed. The SDK tells that to an event source and to nobody else, on the exporting thread.</summary>
/// <remarks>
/// Its texts hold the endpoint as it was given, with keys and passwords, and what the collector answered. Of those nothing is kept but the event's name and, out of exceptions and
/// statuses, what cannot hold a secret: types, numbers, the system's own words for a socket's error.
/// </remarks>
internal sealed partial class ExporterFaults : EventListener
{
    private const int MaxFacts = 4;

    [ThreadStatic]
    private static string? _latest;

    private static readonly ExporterFaults Listener = new();

    /// <summary>The reason, of bounded length and without line breaks.</summary>
    public static string? Latest => _latest;

    /// <summary>Forgets what an earlier export of this thread failed of.</summary>
    public static void Begin()
    {
        // Makes the listener before anything can fail.
        _ = Listener;
        _latest = null;
    }

    /// <summary>What may be told of an event of the SDK's.</summary>
    public static string Describe(string name, IEnumerable<string>? payloadNames, IEnumerable<object?>? payload)
    {
        var facts = (payloadNames ?? []).Zip(payload ?? [])
            .Where(static item => item.First.StartsWith("ex", StringComparison.OrdinalIgnoreCase) || item.First.Contains("status", StringComparison.OrdinalIgnoreCase))
            .SelectMany(static item => Fact().Matches(item.Second?.ToString() ?? "").Select(static match => match.Groups["fact"].Value))
            .Distinct(StringComparer.Ordinal)
            .Take(MaxFacts)
            .ToList();
        return facts.Count == 0 ? name : $"{name} ({string.Join(", ", facts)})";
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "OpenTelemetry-Exporter-OpenTelemetryProtocol")
        {
            EnableEvents(eventSource, EventLevel.Warning);
        }
    }

    // The first one is the cause; what follows names its consequences.
    protected override void OnEventWritten(EventWrittenEventArgs eventData) =>
        _latest ??= Describe(eventData.EventName ?? "unknown", eventData.PayloadNames, eventData.Payload);

    [GeneratedRegex(@"(?<fact>SocketException \(\d+\): [A-Za-z ]{1,60}|\b[A-Z]\w{1,60}Exception(?=:|$))|does not indicate success: (?<fact>\d{3})|StatusCode=""?(?<fact>[A-Za-z]{1,30})", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Fact();
}
