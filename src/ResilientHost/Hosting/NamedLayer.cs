using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Hosting;

/// <summary>A section that holds options by name, with <c>Default</c>, <c>Inherit</c>, the layer's kill switch and what other switches it has.</summary>
internal sealed class NamedLayer<[DynamicallyAccessedMembers(
    DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>(
    string key,
    Func<ResilienceOptions, NamedOptions<TOptions>> select,
    Action<IConfiguration, TOptions> bind,
    Func<string, TOptions, IEnumerable<string>> validate,
    IReadOnlyDictionary<string, LayerSwitch<TOptions>>? switches = null) : ILayerSection
    where TOptions : class, new()
{
    private const string InheritKey = "Inherit";
    private static readonly ValueFormat TrueOrFalse = ValueFormat.For(typeof(bool))!;
    private static readonly ValueFormat Text = ValueFormat.For(typeof(string))!;
    private static readonly Dictionary<string, string> RootOfInheritance =
        new(StringComparer.OrdinalIgnoreCase) { [InheritKey] = "every other name inherits from Default" };

    private readonly OptionsReader<TOptions> _reader = new(bind);

    // Of the whole layer, beside the names.
    private readonly Dictionary<string, Action<NamedOptions<TOptions>, bool>> _switches =
        new((switches ?? new Dictionary<string, LayerSwitch<TOptions>>()).Select(static pair => KeyValuePair.Create(pair.Key, pair.Value.Set)), StringComparer.OrdinalIgnoreCase)
        {
            [nameof(NamedOptions<TOptions>.Enabled)] = static (named, value) => named.Enabled = value,
        };

    public string Key => key;

    public OptionsShape Shape => _reader.Shape;

    public void Read(IConfigurationSection section, ResilienceOptions options)
    {
        var named = select(options);
        named.Path = section.Path;
        if (!ResilienceSection.IsSection(section, options.Problems))
        {
            return;
        }

        foreach (var child in section.GetChildren())
        {
            if (_switches.TryGetValue(child.Key, out var set))
            {
                if (OptionsReader<TOptions>.CheckValue(child, TrueOrFalse, options.Problems))
                {
                    set(named, bool.Parse(child.Value!));
                }
            }
            else if (string.IsNullOrWhiteSpace(child.Key))
            {
                options.Problems.Add(child.Path, $"{section.Path} has an entry without a name.");
            }
            else if (ResilienceSection.IsSection(child, options.Problems, HintFor(child.Key)))
            {
                ReadEntry(child, named, options);
            }
        }
    }

    public void Validate(ResilienceOptions options, IHostEnvironment? environment, ConfigurationProblems problems)
    {
        var named = select(options);
        Report(NamedOptions<TOptions>.DefaultName, named.UnreadableDefaults, validate(NamedOptions<TOptions>.DefaultName, named.Default));
        var resolved = new Dictionary<string, TOptions>(StringComparer.OrdinalIgnoreCase);
        foreach (var entry in named.Entries)
        {
            var own = resolved[entry.Name] = named.Resolve(entry, problems);
            var inherited = named.ResolveParent(entry, new ConfigurationProblems());

            // What is wrong with the parent is said of the parent, once, not again for each heir.
            var messages = inherited is null ? validate(entry.Name, own) : validate(entry.Name, own).Except(validate(entry.Name, inherited));
            Report(entry.Name, entry.Unreadable, messages);
        }

        named.Resolved = resolved;

        void Report(string name, IReadOnlySet<string> unreadable, IEnumerable<string> messages)
        {
            var path = $"{named.Path}:{name}";
            foreach (var message in messages.Where(m => !ResilienceSection.Mentions(m, unreadable)))
            {
                problems.Add(path, ResilienceSection.AtKey(path, message, $"'{name}': ", Shape));
            }
        }
    }

    public IEnumerable<OptionEntry> Describe(ResilienceOptions options, ResilienceOptions pristine)
    {
        var (named, usual) = (select(options), select(pristine));
        yield return OptionEntries.Switch($"{key}:{nameof(named.Enabled)}", named.Enabled);
        foreach (var (name, isOn) in switches?.Select(pair => (pair.Key, pair.Value)) ?? [])
        {
            yield return OptionEntries.Switch($"{key}:{name}", isOn.Get(named), isOn.Get(usual));
        }

        const string Root = NamedOptions<TOptions>.DefaultName;
        foreach (var entry in OptionEntries.Of(Shape, named.Default, usual.Default, $"{key}:{Root}", []))
        {
            yield return entry;
        }

        foreach (var name in named.Entries)
        {
            if (name.Inherit is { } parent)
            {
                yield return OptionEntries.Inherit($"{key}:{name.Name}:{InheritKey}", parent);
            }

            foreach (var entry in OptionEntries.Of(Shape, named.Resolved[name.Name], usual.Default, $"{key}:{name.Name}", ParentsOf(named, name)))
            {
                yield return entry;
            }
        }
    }

    // Validated: there is no circle, and every parent is there.
    private string[] ParentsOf(NamedOptions<TOptions> named, NamedEntry<TOptions> name)
    {
        var parents = new List<string>();
        for (var next = name; next is { Whole: null };)
        {
            var parent = next.Inherit ?? NamedOptions<TOptions>.DefaultName;
            parents.Add($"{key}:{parent}");
            next = NamedOptions<TOptions>.IsDefault(parent) ? null : named.Entries.FirstOrDefault(entry => string.Equals(entry.Name, parent, StringComparison.OrdinalIgnoreCase));
        }

        return [.. parents];
    }

    private void ReadEntry(IConfigurationSection section, NamedOptions<TOptions> named, ResilienceOptions options)
    {
        if (NamedOptions<TOptions>.IsDefault(section.Key))
        {
            var defaults = _reader.Read(section, options.Problems, misplaced: RootOfInheritance);
            defaults.ApplyTo(named.Default);
            named.UnreadableDefaults = defaults.Unreadable;
            return;
        }

        var entry = named.GetOrAdd(section.Key);
        var reading = _reader.Read(section, options.Problems, [InheritKey]);
        entry.Steps.Add(reading.ApplyTo);
        entry.Unreadable = reading.Unreadable;
        var inherit = section.GetSection(InheritKey);
        if ((inherit.Value is not null || inherit.GetChildren().Any())
            && OptionsReader<TOptions>.CheckValue(inherit, Text, options.Problems)
            && inherit.Value!.Length > 0)
        {
            entry.Inherit = inherit.Value;
        }
    }

    // "CircuitBreakers": { "FailureRatio": 0.3 } is the likeliest slip.
    private string HintFor(string name) =>
        Shape.Find(name) is { } property ? $"; options for every name go under {NamedOptions<TOptions>.DefaultName}:{property.Name}" : "";
}

/// <summary>One thing that is on or off for a whole layer, beside its kill switch.</summary>
internal sealed record LayerSwitch<[DynamicallyAccessedMembers(
    DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>(
    Func<NamedOptions<TOptions>, bool> Get,
    Action<NamedOptions<TOptions>, bool> Set)
    where TOptions : class, new();
