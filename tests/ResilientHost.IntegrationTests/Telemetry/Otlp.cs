using System.Globalization;
using Google.Protobuf;

namespace ResilientHost.IntegrationTests.Telemetry;

public sealed record OtlpEvent(string Name, IReadOnlyDictionary<string, string> Attributes);

public sealed record OtlpSpan(
    IReadOnlyDictionary<string, string> Resource, string Scope, string TraceId, string SpanId, string ParentId, string Name, int Kind, int Status,
    IReadOnlyDictionary<string, string> Attributes, IReadOnlyList<OtlpEvent> Events);

public sealed record OtlpPoint(IReadOnlyDictionary<string, string> Attributes, double Value, ulong Count, IReadOnlyList<ulong> Buckets, IReadOnlyList<double> Bounds);

/// <param name="Kind"><c>gauge</c>, <c>sum</c>, <c>histogram</c> or <c>exponential</c>.</param>
/// <param name="Temporality">1: delta, 2: cumulative; 0 for a gauge.</param>
public sealed record OtlpMetric(
    IReadOnlyDictionary<string, string> Resource, string Scope, string Name, string Unit, string Kind, int Temporality, IReadOnlyList<OtlpPoint> Points);

public sealed record OtlpLog(
    IReadOnlyDictionary<string, string> Resource, string Scope, int Severity, string Body, string TraceId, string SpanId, IReadOnlyDictionary<string, string> Attributes);

/// <summary>Export requests of the three services as what tests ask for. Field numbers are those of opentelemetry-proto 1.x.</summary>
public static class Otlp
{
    public static IEnumerable<OtlpSpan> Spans(ByteString request) =>
        from resource in ProtoMessage.Parse(request).Messages(1)
        let attributes = Attributes(resource.Message(1), 1)
        from scope in resource.Messages(2)
        from span in scope.Messages(2)
        select new OtlpSpan(
            attributes, scope.Message(1).Text(1), span.Hex(1), span.Hex(2), span.Hex(4), span.Text(5), (int)span.Number(6), (int)span.Message(15).Number(3),
            Attributes(span, 9), [.. span.Messages(11).Select(occurrence => new OtlpEvent(occurrence.Text(2), Attributes(occurrence, 3)))]);

    public static IEnumerable<OtlpMetric> Metrics(ByteString request) =>
        from resource in ProtoMessage.Parse(request).Messages(1)
        let attributes = Attributes(resource.Message(1), 1)
        from scope in resource.Messages(2)
        from metric in scope.Messages(2)
        let kind = metric.Has(5) ? 5 : metric.Has(7) ? 7 : metric.Has(9) ? 9 : 10
        let data = metric.Message(kind)
        select new OtlpMetric(
            attributes, scope.Message(1).Text(1), metric.Text(1), metric.Text(3),
            kind switch { 5 => "gauge", 7 => "sum", 9 => "histogram", _ => "exponential" },
            kind == 5 ? 0 : (int)data.Number(2),
            [.. data.Messages(1).Select(point => kind is 5 or 7 ? Number(point) : Histogram(point, kind == 9))]);

    public static IEnumerable<OtlpLog> Logs(ByteString request) =>
        from resource in ProtoMessage.Parse(request).Messages(1)
        let attributes = Attributes(resource.Message(1), 1)
        from scope in resource.Messages(2)
        from log in scope.Messages(2)
        select new OtlpLog(attributes, scope.Message(1).Text(1), (int)log.Number(2), Value(log.Message(5)), log.Hex(9), log.Hex(10), Attributes(log, 6));

    private static OtlpPoint Number(ProtoMessage point) =>
        new(Attributes(point, 7), point.Has(4) ? point.Double(4) : (long)point.Number(6), 0, [], []);

    private static OtlpPoint Histogram(ProtoMessage point, bool hasBuckets) => hasBuckets
        ? new(Attributes(point, 9), point.Double(5), point.Number(4), point.Packed(6), [.. point.Packed(7).Select(BitConverter.UInt64BitsToDouble)])
        : new(Attributes(point, 1), point.Double(5), point.Number(4), [], []);

    private static Dictionary<string, string> Attributes(ProtoMessage message, int field)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in message.Messages(field))
        {
            attributes[pair.Text(1)] = Value(pair.Message(2));
        }

        return attributes;
    }

    private static string Value(ProtoMessage value) =>
        value.Has(1) ? value.Text(1)
        : value.Has(2) ? (value.Number(2) != 0).ToString()
        : value.Has(3) ? ((long)value.Number(3)).ToString(CultureInfo.InvariantCulture)
        : value.Has(4) ? value.Double(4).ToString("R", CultureInfo.InvariantCulture)
        : "";
}
