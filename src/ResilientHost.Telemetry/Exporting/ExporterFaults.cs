using System.Diagnostics.Tracing;
using System.Globalization;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>Why the last export of this thread failed. The SDK tells that to an event source and to nobody else, on the exporting thread.</summary>
internal sealed class ExporterFaults : EventListener
{
    private const int MaxLength = 300;

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

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "OpenTelemetry-Exporter-OpenTelemetryProtocol")
        {
            EnableEvents(eventSource, EventLevel.Warning);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        try
        {
            // The first one is the cause; what follows names its consequences.
            _latest ??= Shorten(string.Format(CultureInfo.InvariantCulture, eventData.Message ?? eventData.EventName ?? "", [.. eventData.Payload ?? []]));
        }
        catch (FormatException)
        {
            _latest ??= eventData.EventName;
        }
    }

    private static string Shorten(string text)
    {
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        var line = end < 0 ? text : text[..end];
        return line.Length <= MaxLength ? line : $"{line[..MaxLength]}…";
    }
}
