using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ResilientHost.Bulkheads;
using ResilientHost.Caching;
using ResilientHost.Callers;
using ResilientHost.Calls;
using ResilientHost.CircuitBreaking;
using ResilientHost.Connections;
using ResilientHost.Dashboard;
using ResilientHost.DeadLetters;
using ResilientHost.Degradation;
using ResilientHost.Fallbacks;
using ResilientHost.Hosting;
using ResilientHost.Outbound;
using ResilientHost.Recovery;
using ResilientHost.Shutdown;
using ResilientHost.Tests.Conventions;
using ResilientHost.Timeouts;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Hosting;

/// <summary>The schema that editors read says what the options say.</summary>
public sealed class ConfigurationSchemaTests
{
    private static readonly JsonNode Schema = JsonNode.Parse(Repository.Read("src/ResilientHost/ConfigurationSchema.json"))!;
    private static readonly JsonNode Root = Schema["properties"]!["Resilience"]!["properties"]!;

    // What tells inbound callers apart means nothing for outbound calls, and is an error there.
    private static readonly string[] NotForOutbound =
        [nameof(CircuitBreakerOptions.PartitionBy), nameof(CircuitBreakerOptions.CallerBy), nameof(CircuitBreakerOptions.MinimumDistinctCallers), nameof(BulkheadOptions.PartitionWeights)];

    private static JsonObject Definition(string name) => Schema["definitions"]![name]!["properties"]!.AsObject();

    public static TheoryData<string, string> Sections() => new()
    {
        { "Recovery", "" },
        { "CircuitBreakers", "resilienceCircuitBreakerDefaults" },
        { "CircuitBreakers", "resilienceCircuitBreaker" },
        { "Bulkheads", "resilienceBulkheadDefaults" },
        { "Bulkheads", "resilienceBulkhead" },
        { "Timeouts", "" },
        { "Fallbacks", "" },
        { "Degradation", "" },
        { "Connections", "" },
        { "TrustedCallers", "" },
        { "Workers", "resilienceWorkerDefaults" },
        { "Workers", "resilienceWorker" },
        { "WorkerGroups", "resilienceWorkerGroupDefaults" },
        { "WorkerGroups", "resilienceWorkerGroup" },
        { "HttpClients", "resilienceHttpClientDefaults" },
        { "HttpClients", "resilienceHttpClient" },
        { "Calls", "resilienceCallDefaults" },
        { "Calls", "resilienceCall" },
        { "Caches", "resilienceCacheDefaults" },
        { "Caches", "resilienceCache" },
        { "DeadLetters", "" },
        { "Shutdown", "" },
        { "Dashboard", "" },
    };

    private static (object Defaults, OptionsShape Shape, Func<object, IEnumerable<string>> Validate) Options(string section) => section switch
    {
        "Recovery" => (new RecoveryOptions(), OptionsShape.Of<RecoveryOptions>(), o => RecoveryOptionsValidator.Errors((RecoveryOptions)o, null)),
        "CircuitBreakers" => (new CircuitBreakerOptions(), OptionsShape.Of<CircuitBreakerOptions>(), o => CircuitBreakerOptionsValidator.Errors("x", (CircuitBreakerOptions)o)),
        "Timeouts" => (new TimeoutOptions(), OptionsShape.Of<TimeoutOptions>(), o => TimeoutOptionsValidator.Errors((TimeoutOptions)o, null)),
        "Fallbacks" => (new FallbackOptions(), OptionsShape.Of<FallbackOptions>(), o => FallbackOptionsValidator.Errors((FallbackOptions)o, null)),
        "Degradation" => (new DegradationOptions(), OptionsShape.Of<DegradationOptions>(), o => DegradationOptionsValidator.Errors((DegradationOptions)o, null)),
        "Connections" => (new ConnectionOptions(), OptionsShape.Of<ConnectionOptions>(), o => ConnectionOptionsValidator.Errors((ConnectionOptions)o, null)),
        "TrustedCallers" => (new TrustedCallerOptions(), OptionsShape.Of<TrustedCallerOptions>(), o => TrustedCallerOptionsValidator.Errors((TrustedCallerOptions)o, null)),
        "Workers" => (new WorkerOptions(), OptionsShape.Of<WorkerOptions>(), o => WorkerOptionsValidator.Errors("x", (WorkerOptions)o)),
        "WorkerGroups" => (new WorkerGroupOptions(), OptionsShape.Of<WorkerGroupOptions>(), o => WorkerOptionsValidator.GroupErrors("x", (WorkerGroupOptions)o)),
        "HttpClients" => (new HttpClientResilienceOptions(), OptionsShape.Of<HttpClientResilienceOptions>(), o => HttpClientOptionsValidator.Errors("x", (HttpClientResilienceOptions)o)),
        "Calls" => (new CallResilienceOptions(), OptionsShape.Of<CallResilienceOptions>(), o => CallOptionsValidator.Errors("x", (CallResilienceOptions)o)),
        "Caches" => (new CacheOptions(), OptionsShape.Of<CacheOptions>(), o => CacheOptionsValidator.Errors("x", (CacheOptions)o)),
        "DeadLetters" => (new DeadLetterOptions(), OptionsShape.Of<DeadLetterOptions>(), o => DeadLetterOptionsValidator.Errors((DeadLetterOptions)o, null)),
        "Shutdown" => (new ShutdownOptions(), OptionsShape.Of<ShutdownOptions>(), o => ShutdownOptionsValidator.Errors((ShutdownOptions)o, null)),
        "Dashboard" => (new DashboardOptions(), OptionsShape.Of<DashboardOptions>(), o => DashboardOptionsValidator.Errors((DashboardOptions)o, null)),
        _ => (new BulkheadOptions(), OptionsShape.Of<BulkheadOptions>(), o => BulkheadOptionsValidator.Errors("x", (BulkheadOptions)o)),
    };

    private static JsonObject Properties(string section, string definition) =>
        definition.Length == 0 ? Root[section]!["properties"]!.AsObject() : Definition(definition);

    private static string Json(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        TimeSpan duration => $"\"{duration:c}\"",
        Enum or string => $"\"{value}\"",
        double number => number.ToString(CultureInfo.InvariantCulture),
        IEnumerable<KeyValuePair<string, int>> map => JsonSerializer.Serialize(map.ToDictionary()),
        IEnumerable<KeyValuePair<string, string>> map => JsonSerializer.Serialize(map.ToDictionary()),
        IEnumerable<KeyValuePair<string, double>> map => JsonSerializer.Serialize(map.ToDictionary()),
        IEnumerable<string> list => JsonSerializer.Serialize(list),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    [Theory]
    [MemberData(nameof(Sections))]
    public void Properties_OfEachSection_AreTheOptions(string section, string definition)
    {
        var (defaults, shape, _) = Options(section);
        var properties = Properties(section, definition);
        string[] extra = definition.EndsWith('s') || definition.Length == 0 ? [] : ["Inherit"];

        properties.Select(p => p.Key).ShouldBe([.. shape.Names, .. extra], ignoreOrder: true);
        shape.Names.ShouldBe(
            defaults.GetType().GetProperties().Where(p => p.GetMethod!.IsPublic && !typeof(Delegate).IsAssignableFrom(p.PropertyType)).Select(p => p.Name),
            ignoreOrder: true,
            "every public option but code can be configured");
        Compare(section, properties, shape, defaults);
    }

    private static void Compare(string section, JsonObject properties, OptionsShape shape, object defaults)
    {
        foreach (var property in shape.Properties.Where(p => properties.ContainsKey(p.Name)))
        {
            var described = properties[property.Name]!;
            if (property.Section is { } nested)
            {
                var (path, known) = ($"{section}:{property.Name}", described["properties"] ?? Definition(described["$ref"]!.GetValue<string>().Split('/')[^1]));
                known.AsObject().Select(p => p.Key).ShouldBe(nested.Names.Except(NotForOutbound.Where(_ => described["$ref"] is not null)), ignoreOrder: true);
                Compare(path, known.AsObject(), nested, property.Get(defaults)!);
                continue;
            }

            JsonNode.DeepEquals(described["default"], JsonNode.Parse(Json(property.Get(defaults)))).ShouldBeTrue($"default of {section}:{property.Name}");
            described["description"]!.GetValue<string>().ShouldNotBeEmpty();
            var type = Nullable.GetUnderlyingType(property.Type) ?? property.Type;
            if (type.IsEnum)
            {
                described["enum"]!.AsArray().Select(n => n?.GetValue<string>()).ShouldBe([.. Enum.GetNames(type), .. property.AcceptsNull ? [null] : Array.Empty<string?>()]);
            }
            else
            {
                var expected = type == typeof(bool) ? "boolean" : type == typeof(int) || type == typeof(long) ? "integer" : type == typeof(double) ? "number"
                    : type == typeof(TimeSpan) || type == typeof(string) ? "string" : property.Kind == OptionsPropertyKind.List ? "array" : "object";
                var isNullable = property.Kind == OptionsPropertyKind.Value && property.AcceptsNull;
                described["type"]!.ToJsonString().ShouldBe(isNullable ? $"[\"{expected}\",\"null\"]" : $"\"{expected}\"");
                (described["pattern"] is not null).ShouldBe(type == typeof(TimeSpan) || type == typeof(string));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sections))]
    public void Bounds_OfEachNumber_AreTheValidators(string section, string definition)
    {
        var (_, shape, validate) = Options(section);
        var properties = Properties(section, definition);
        foreach (var property in shape.Properties)
        {
            foreach (var (bound, step, isAllowed) in new[] { ("minimum", -1, true), ("exclusiveMinimum", -1, false), ("maximum", 1, true), ("exclusiveMaximum", 1, false) })
            {
                if (properties[property.Name]![bound] is { } node)
                {
                    var value = node.GetValue<double>();
                    IsRefused(property, value).ShouldBe(!isAllowed, $"{section}:{property.Name} at its {bound}");
                    IsRefused(property, value + step).ShouldBeTrue($"{section}:{property.Name} beyond its {bound}");
                }
            }
        }

        bool IsRefused(OptionsProperty property, double value)
        {
            var options = Options(section).Defaults;
            var type = Nullable.GetUnderlyingType(property.Type) ?? property.Type;
            property.Set(options, Convert.ChangeType(value, type, CultureInfo.InvariantCulture));
            return validate(options).Any(m => m.Contains($": {property.Name} ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Root_HasEverySectionAndSwitch()
    {
        var scalars = OptionsShape.Of<ResilienceOptions>().Names;

        Root.AsObject().Select(p => p.Key).ShouldBe([.. scalars, .. ResilienceLayers.All.Select(l => l.Key)], ignoreOrder: true);
        Root["UnknownKeys"]!["enum"]!.AsArray().Select(n => n!.GetValue<string>()).ShouldBe(Enum.GetNames<UnknownKeyHandling>());
        Root["UnknownKeys"]!["default"]!.GetValue<string>().ShouldBe(nameof(UnknownKeyHandling.Error));
        foreach (var (layer, switches) in new (string, string[])[]
        {
            ("CircuitBreakers", []),
            ("Bulkheads", []),
            ("Workers", ["SuperviseHostedServices", "ContainUnhandledExceptions"]),
            ("WorkerGroups", []),
            ("HttpClients", []),
            ("Calls", []),
            ("Caches", []),
        })
        {
            Root[layer]!["properties"]!.AsObject().Select(p => p.Key).ShouldBe(["Enabled", .. switches, "Default"]);
            Root[layer]!["properties"]!["Enabled"]!["default"]!.GetValue<bool>().ShouldBeTrue();
        }
    }

    [Theory]
    [InlineData("00:00:30", true)]
    [InlineData("1.00:00:00", true)]
    [InlineData("00:00:00.200", true)]
    [InlineData("30", false)]
    [InlineData("24:00:00", false)]
    public void DurationPattern_Text_AgreesWithTheReader(string text, bool accepted)
    {
        var pattern = Definition("resilienceBulkhead")["QueueTimeout"]!["pattern"]!.GetValue<string>();

        Regex.IsMatch(text, pattern, RegexOptions.NonBacktracking).ShouldBe(accepted);
        ValueFormat.For(typeof(TimeSpan))!.Accepts(text).ShouldBe(accepted);
    }
}
