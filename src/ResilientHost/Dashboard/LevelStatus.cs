using System.Text.Json.Serialization;

namespace ResilientHost.Dashboard;

/// <summary>The service level as the stream tells it.</summary>
internal sealed record LevelStatus(
    ServiceLevel Level,
    DateTimeOffset Since,
    ServiceLevel SignalledLevel,
    double Severity,
    DegradationMode Mode,
    bool Overridden,
    DateTimeOffset? OverriddenUntil)
{
    public static LevelStatus Of(ResilienceStatus status)
    {
        var degradation = status.Degradation;
        return new(status.Level, degradation.Since, degradation.SignalledLevel, degradation.Severity, degradation.Mode, degradation.Overridden, degradation.OverriddenUntil);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(CamelCaseEnumConverter<ServiceLevel>), typeof(CamelCaseEnumConverter<DegradationMode>)])]
[JsonSerializable(typeof(LevelStatus))]
internal sealed partial class LevelStatusJson : JsonSerializerContext;
