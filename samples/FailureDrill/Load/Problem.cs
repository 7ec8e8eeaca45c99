using System.Text.Json;

namespace FailureDrill.Load;

/// <summary>The parts of a problem body that callers rely on.</summary>
internal sealed record Problem(string? Type, string? Code, string? TraceId, int? Status)
{
    public bool HasTraceId => TraceId is { Length: 32 } && TraceId.All(char.IsAsciiHexDigit) && TraceId.Any(digit => digit != '0');

    /// <returns><see langword="null"/> when the body is not a problem.</returns>
    public static Problem? Parse(string? contentType, string body)
    {
        if (contentType != "application/problem+json")
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<Problem>(body, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
