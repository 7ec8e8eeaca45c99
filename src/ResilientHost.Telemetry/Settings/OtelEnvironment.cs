using System.Collections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace ResilientHost.Telemetry.Settings;

/// <summary>The <c>OTEL_*</c> variables of the environment for applications whose configuration leaves the environment out.</summary>
internal sealed class OtelEnvironment : ConfigurationProvider, IConfigurationSource
{
    /// <summary>Adds the variables, weaker than all that the application's own sources say.</summary>
    public static void AddTo(IConfigurationBuilder configuration)
    {
        if (!configuration.Sources.Any(static source => source is EnvironmentVariablesConfigurationSource { Prefix: null or "" }))
        {
            configuration.Sources.Insert(0, new OtelEnvironment());
        }
    }

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override void Load() => Data = Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .Where(static variable => ((string)variable.Key).StartsWith("OTEL_", StringComparison.OrdinalIgnoreCase))
        .ToDictionary(static variable => (string)variable.Key, static variable => (string?)variable.Value, StringComparer.OrdinalIgnoreCase);
}
