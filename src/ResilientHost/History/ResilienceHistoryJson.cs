using System.Text.Json.Serialization;
using ResilientHost.Dashboard;

namespace ResilientHost.History;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(CamelCaseEnumConverter<ServiceLevel>)])]
[JsonSerializable(typeof(ResilienceHistory))]
[JsonSerializable(typeof(HistorySample))]
[JsonSerializable(typeof(LoggedEvent))]
internal sealed partial class ResilienceHistoryJson : JsonSerializerContext;
