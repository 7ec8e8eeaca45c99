using System.Text.Json.Serialization;

namespace ResilientHost.Dashboard;

/// <summary>The configuration in force: the body of <c>GET configuration</c>.</summary>
/// <param name="Instance">The process.</param>
/// <param name="LastAppliedAt">When a configuration was put in force last.</param>
/// <param name="LastRefusedAt">When one was refused last; <see langword="null"/>: never.</param>
/// <param name="LastRefusal">What is wrong with what the configuration says now; <see langword="null"/> while that is in force. Empty for who is not told.</param>
/// <param name="Entries">The options, layer by layer.</param>
internal sealed record ConfigurationStatus(
    string Instance,
    DateTimeOffset? LastAppliedAt,
    DateTimeOffset? LastRefusedAt,
    IReadOnlyList<string>? LastRefusal,
    IReadOnlyList<ConfigurationEntry> Entries);

/// <param name="Key">Key under the suite's section.</param>
/// <param name="Value">The value, as configuration would write it.</param>
/// <param name="Source">Where it is from: the name of a file, <c>environment variables</c>, <c>command line</c>, <c>code</c>, <c>default</c>, or another provider.</param>
/// <param name="ChangedAt">When it was changed since the start; <see langword="null"/>: never.</param>
internal sealed record ConfigurationEntry(string Key, string? Value, string Source, DateTimeOffset? ChangedAt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ConfigurationStatus))]
internal sealed partial class ConfigurationStatusJson : JsonSerializerContext;
