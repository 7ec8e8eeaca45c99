using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Memory;

namespace ResilientHost.Hosting;

/// <summary>Tells where an option has its value from.</summary>
/// <param name="registration">Where the section is.</param>
/// <param name="root">The application's configuration, when the suite was handed a section.</param>
internal sealed class ConfigurationSources(ResilienceRegistration registration, IConfiguration? root = null)
{
    public const string Code = "code";
    public const string Default = "default";

    private const string Unknown = "configuration";
    private readonly IConfigurationRoot? _root = (registration.Configuration as IConfigurationRoot) ?? (root as IConfigurationRoot);

    /// <summary>The name of a file, <c>environment variables</c>, <c>command line</c>, <c>code</c>, <c>default</c>, or what else the provider is.</summary>
    public string Of(OptionEntry entry)
    {
        foreach (var key in entry.Inherited.Prepend(entry.Key))
        {
            if (Find(key) is { } found)
            {
                // Code has its say after the section.
                return entry.Format?.Means(found.Text, entry.Value) == true ? found.Source : Code;
            }
        }

        return string.Equals(entry.Value, entry.Default, StringComparison.Ordinal) ? Default : Code;
    }

    private (string Source, string? Text)? Find(string key)
    {
        var path = $"{registration.Section.Path}:{key}";
        if (_root is null)
        {
            return registration.Section.GetSection(key) is { Value: { } value } ? (Unknown, value) : null;
        }

        return Find(_root, path) ?? (ElementOf(path) is { } element ? Find(_root, element) : null);
    }

    // Elements of a list are bound in the order of their keys, whatever these are.
    private string? ElementOf(string path)
    {
        var end = path.LastIndexOf(':');
        return int.TryParse(path.AsSpan(end + 1), out var index) ? _root!.GetSection(path[..end]).GetChildren().ElementAtOrDefault(index)?.Path : null;
    }

    private static (string Source, string? Text)? Find(IConfigurationRoot root, string path)
    {
        foreach (var provider in root.Providers.Reverse())
        {
            if (provider is ChainedConfigurationProvider { Configuration: IConfigurationRoot inner })
            {
                if (Find(inner, path) is { } found)
                {
                    return found;
                }
            }
            else if (provider.TryGet(path, out var text))
            {
                return (NameOf(provider), text);
            }
        }

        return null;
    }

    private static string NameOf(IConfigurationProvider provider) => provider switch
    {
        FileConfigurationProvider { Source.Path: { } file } => Path.GetFileName(file),
        EnvironmentVariablesConfigurationProvider => "environment variables",
        CommandLineConfigurationProvider => "command line",
        MemoryConfigurationProvider => Code,
        ChainedConfigurationProvider => Unknown,
        _ => provider.GetType().Name is var name && name.EndsWith("ConfigurationProvider", StringComparison.Ordinal) && name.Length > "ConfigurationProvider".Length
            ? name[..^"ConfigurationProvider".Length]
            : name,
    };
}
