using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Json;
using Serilog.Parsing;

namespace ResilientHost;

/// <summary>Writes a log event as one line of JSON, with trace and span id.</summary>
/// <remarks>
/// Members, in this order: <c>timestamp</c> (ISO 8601, UTC), <c>level</c> (<c>Verbose</c> to <c>Fatal</c>), <c>message</c> (as <c>ILogger</c> renders it: texts without quotation marks), <c>messageTemplate</c>, <c>traceId</c> and <c>spanId</c>
/// where there is an activity, <c>exception</c> where there is one, <c>properties</c> where there are any. A line break inside a text is escaped: an event is one line whatever it holds. Thread-safe.
/// The section <c>Serilog</c> can name it: <c>"formatter": "ResilientHost.JsonLineFormatter, ResilientHost.Telemetry"</c>.
/// </remarks>
public sealed class JsonLineFormatter : ITextFormatter
{
    private readonly JsonValueFormatter _values = new(typeTagName: "_type");

    /// <inheritdoc/>
    public void Format(LogEvent logEvent, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(logEvent);
        ArgumentNullException.ThrowIfNull(output);
        output.Write("{\"timestamp\":\"");
        output.Write(logEvent.Timestamp.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        output.Write("\",\"level\":\"");
        output.Write(logEvent.Level.ToString());
        output.Write('"');
        WriteText(output, "message", RenderMessage(logEvent));
        WriteText(output, "messageTemplate", logEvent.MessageTemplate.Text);
        if (logEvent.TraceId is { } traceId && traceId != default)
        {
            WriteText(output, "traceId", traceId.ToHexString());
        }

        if (logEvent.SpanId is { } spanId && spanId != default)
        {
            WriteText(output, "spanId", spanId.ToHexString());
        }

        if (logEvent.Exception is { } exception)
        {
            WriteText(output, "exception", exception.ToString());
        }

        if (logEvent.Properties.Count > 0)
        {
            WriteProperties(output, logEvent.Properties);
        }

        output.Write("}\n");
    }

    // Serilog's own rendering puts texts in quotation marks; whoever looks for a sentence of the runbook would not find it.
    private static string RenderMessage(LogEvent logEvent)
    {
        using var message = new StringWriter(CultureInfo.InvariantCulture);
        foreach (var token in logEvent.MessageTemplate.Tokens)
        {
            if (token is PropertyToken { Format: null } property
                && logEvent.Properties.TryGetValue(property.PropertyName, out var value)
                && value is ScalarValue { Value: string text })
            {
                message.Write(Aligned(text, property.Alignment));
            }
            else
            {
                token.Render(logEvent.Properties, message, CultureInfo.InvariantCulture);
            }
        }

        return message.ToString();
    }

    private static string Aligned(string text, Alignment? alignment) => alignment switch
    {
        { Direction: AlignmentDirection.Left, Width: var width } => text.PadRight(width),
        { Direction: AlignmentDirection.Right, Width: var width } => text.PadLeft(width),
        _ => text,
    };

    private static void WriteText(TextWriter output, string name, string value)
    {
        output.Write(",\"");
        output.Write(name);
        output.Write("\":");
        JsonValueFormatter.WriteQuotedJsonString(value, output);
    }

    private void WriteProperties(TextWriter output, IReadOnlyDictionary<string, LogEventPropertyValue> properties)
    {
        output.Write(",\"properties\":{");
        var isFirst = true;
        foreach (var (name, value) in properties)
        {
            if (!isFirst)
            {
                output.Write(',');
            }

            isFirst = false;
            JsonValueFormatter.WriteQuotedJsonString(name, output);
            output.Write(':');
            _values.Format(value, output);
        }

        output.Write('}');
    }
}
