using Microsoft.Extensions.Configuration;

namespace ResilientHost.Hosting;

/// <summary>The section <c>Resilience</c>: what it holds, and one line per layer.</summary>
/// <remarks>
/// A further layer is a property of <see cref="ResilienceOptions"/>, a line in <see cref="ResilienceLayers"/>, a part of
/// <see cref="ResilienceSettings"/>, and its piece of <c>ConfigurationSchema.json</c>.
/// </remarks>
internal static class ResilienceSection
{
    public const string Name = "Resilience";

    private static readonly OptionsReader<ResilienceOptions> Root = new(static (section, options) =>
    {
        options.Enabled = section.GetValue(nameof(options.Enabled), options.Enabled);
        options.UnknownKeys = section.GetValue(nameof(options.UnknownKeys), options.UnknownKeys);
    });

    /// <summary>The section within a configuration; the configuration itself when it is that section.</summary>
    public static IConfigurationSection Of(IConfiguration configuration) =>
        configuration is IConfigurationSection section && string.Equals(section.Key, Name, StringComparison.OrdinalIgnoreCase)
            ? section
            : configuration.GetSection(Name);

    public static void Read(IConfigurationSection section, ResilienceOptions options)
    {
        options.Path = section.Path;
        var problems = options.Problems;
        if (!IsSection(section, problems))
        {
            return;
        }

        Root.Read(section, problems, [.. ResilienceLayers.All.Select(l => l.Key)]).ApplyTo(options);
        foreach (var layer in ResilienceLayers.All)
        {
            layer.Read(section.GetSection(layer.Key), options);
        }
    }

    /// <summary>Whether a key holds a section (or nothing: <c>{}</c> and <c>null</c> look alike); if not, says so.</summary>
    public static bool IsSection(IConfigurationSection section, ConfigurationProblems problems, string hint = "")
    {
        if (string.IsNullOrEmpty(section.Value))
        {
            return true;
        }

        problems.Add(section.Path, $"{section.Path} must be a section, but is {ConfigurationText.Quote(section.Value)}{hint}.");
        return false;
    }

    /// <summary>
    /// A validator's message ("Bulkhead 'x': QueueTimeout must …") as one about a key ("Resilience:Bulkheads:x:QueueTimeout must …"); of
    /// an element ("StatusCodes['x'] must …") likewise ("Resilience:Recovery:StatusCodes:x must …").
    /// </summary>
    public static string AtKey(string path, string message, string instance, OptionsShape shape)
    {
        var start = message.IndexOf(instance, StringComparison.Ordinal);
        var rule = start < 0 ? message : message[(start + instance.Length)..];
        var end = rule.IndexOfAny([' ', '[']);
        if (end <= 0 || !shape.Names.Contains(rule[..end].Split(':')[0], StringComparer.Ordinal))
        {
            return $"{path}: {rule}";
        }

        var elementEnd = rule.IndexOf("'] ", StringComparison.Ordinal);
        return rule[end] == '[' && elementEnd > end
            ? $"{path}:{rule[..end]}:{rule[(end + 2)..elementEnd]}{rule[(elementEnd + 2)..]}"
            : $"{path}:{rule}";
    }

    /// <summary>Whether a rule speaks of a property whose value could not be read: it was judged by a default and would mislead.</summary>
    public static bool Mentions(string message, IReadOnlySet<string> properties) =>
        properties.Count > 0 && message.Split(' ', ',', '.', ':', ';', '(', ')').Any(properties.Contains);
}
