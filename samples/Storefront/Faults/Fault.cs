using System.Text.Json.Serialization;

namespace Storefront.Faults;

/// <summary>How one service misbehaves; the default is not at all.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record Fault
{
    public static readonly Fault None = new();

    /// <summary>The service behind the endpoint answers this many milliseconds later; at most a minute.</summary>
    public int LatencyMs { get; init; }

    /// <summary>Share of calls, 0 to 1, that the service behind the endpoint answers with 503.</summary>
    public double ErrorRate { get; init; }

    /// <summary>The service behind the endpoint takes calls and never answers.</summary>
    public bool Hang { get; init; }

    /// <summary>The service behind the endpoint resets the connection.</summary>
    public bool Reset { get; init; }

    /// <summary>The shop's own handler throws before it has written anything.</summary>
    public bool Crash { get; init; }

    /// <summary>The shop's own handler throws when half of its answer is on its way.</summary>
    public bool CrashAfterStart { get; init; }

    /// <summary>What the exception says: a text that must never reach a caller.</summary>
    public string? CrashDetail { get; init; }

    /// <summary>What is wrong with these settings, by field; empty when nothing is.</summary>
    public Dictionary<string, string[]> Errors()
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (LatencyMs is < 0 or > 60_000)
        {
            errors["latencyMs"] = [$"Must be between 0 and 60000, but is {LatencyMs}."];
        }

        if (ErrorRate is not (>= 0 and <= 1))
        {
            errors["errorRate"] = [$"Must be between 0 and 1, but is {ErrorRate}."];
        }

        return errors;
    }
}
