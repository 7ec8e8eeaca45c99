using System.Text.Encodings.Web;
using System.Text.Json;
using FailureDrill.Drills;

namespace FailureDrill.Reporting;

/// <summary>The results for programs: <c>[{"name","withLayers":{"passed","measured"},"withoutLayers":{"passed","measured"}}]</c>; of a drill that was skipped <c>{"name","skipped"}</c>.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerOptions.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static async Task WriteAsync(Stream file, IReadOnlyList<DrillResult> results, CancellationToken cancellationToken)
    {
        var report = results.Select(result => result.WhySkipped is { } reason
            ? (object)new { result.Drill.Name, Skipped = reason }
            : new { result.Drill.Name, WithLayers = Describe(result.WithLayers), WithoutLayers = Describe(result.WithoutLayers) });
        await JsonSerializer.SerializeAsync(file, report, Format, cancellationToken);
    }

    private static object Describe(Findings findings) => new { findings.Passed, findings.Measured };
}
