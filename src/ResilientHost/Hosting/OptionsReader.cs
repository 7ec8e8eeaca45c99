using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;

namespace ResilientHost.Hosting;

/// <summary>
/// Reads one section into one options type: checks every key and value first, so that all errors come at once, then binds what is
/// sound.
/// </summary>
/// <param name="bind">The generated binder's call; it must stand where <typeparamref name="TOptions"/> is known.</param>
internal sealed class OptionsReader<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>(
    Action<IConfiguration, TOptions> bind)
    where TOptions : class
{
    public OptionsShape Shape { get; } = OptionsShape.Of<TOptions>();

    /// <summary>Checks a section.</summary>
    /// <param name="section">What to read.</param>
    /// <param name="problems">Receives what is wrong.</param>
    /// <param name="alsoKnown">Keys that the caller reads itself.</param>
    /// <param name="misplaced">Keys that do not belong here, with the reason to give.</param>
    public OptionsReading<TOptions> Read(
        IConfigurationSection section,
        ConfigurationProblems problems,
        IReadOnlyCollection<string>? alsoKnown = null,
        IReadOnlyDictionary<string, string>? misplaced = null)
    {
        var sound = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        var nulls = new List<Action<TOptions>>();
        var unreadable = new HashSet<string>(StringComparer.Ordinal);
        foreach (var child in section.GetChildren())
        {
            if (alsoKnown?.Contains(child.Key, StringComparer.OrdinalIgnoreCase) == true)
            {
                continue;
            }

            if (misplaced?.GetValueOrDefault(child.Key) is { } reason)
            {
                problems.AddUnknownKey(child.Path, $"{child.Path} is not a known key; {reason}.");
            }
            else if (Shape.Find(child.Key) is not { } property)
            {
                problems.AddUnknownKey(child.Path, UnknownKey(child, [.. Shape.Names, .. alsoKnown ?? []]));
            }
            else if (property.Section is { } shape)
            {
                ReadSection(child, property, shape);
            }
            else if (property.Kind == OptionsPropertyKind.Value)
            {
                ReadValue(child, property);
            }
            else
            {
                ReadElements(child, property);
            }
        }

        return new(bind, sound, nulls, unreadable);

        void ReadValue(IConfigurationSection child, OptionsProperty property)
        {
            if (property.AcceptsNull && !child.GetChildren().Any() && IsNull(child, property))
            {
                nulls.Add(options => property.Set(options, null));
            }
            else if (CheckValue(child, property.Format, problems))
            {
                sound[property.Name] = child.Value;
            }
            else
            {
                unreadable.Add(property.Name);
            }
        }

        void ReadSection(IConfigurationSection child, OptionsProperty property, OptionsShape shape)
        {
            if (!ResilienceSection.IsSection(child, problems))
            {
                unreadable.Add(property.Name);
                return;
            }

            foreach (var value in child.GetChildren())
            {
                if (shape.Find(value.Key) is not { Kind: OptionsPropertyKind.Value } nested)
                {
                    problems.AddUnknownKey(value.Path, UnknownKey(value, [.. shape.Properties.Where(p => p.Kind == OptionsPropertyKind.Value).Select(p => p.Name)]));
                }
                else if (nested.AcceptsNull && !value.GetChildren().Any() && IsNull(value, nested))
                {
                    nulls.Add(options => nested.Set(property.Get(options)!, null));
                }
                else if (CheckValue(value, nested.Format, problems))
                {
                    sound[$"{property.Name}:{nested.Name}"] = value.Value;
                }
                else
                {
                    unreadable.Add(property.Name);
                }
            }
        }

        void ReadElements(IConfigurationSection child, OptionsProperty property)
        {
            if (!string.IsNullOrEmpty(child.Value))
            {
                problems.Add(child.Path, $"{child.Path} must be a section, but is {ConfigurationText.Quote(child.Value)}.");
                unreadable.Add(property.Name);
            }

            foreach (var element in child.GetChildren())
            {
                if (CheckValue(element, property.Format, problems))
                {
                    sound[$"{property.Name}:{element.Key}"] = element.Value;
                }
                else
                {
                    unreadable.Add(property.Name);
                }
            }
        }
    }

    /// <summary>Whether the section holds one value of the format; if not, says so.</summary>
    public static bool CheckValue(IConfigurationSection section, ValueFormat format, ConfigurationProblems problems)
    {
        if (section.GetChildren().Any())
        {
            problems.Add(section.Path, $"{section.Path} must be {format.Rule}, but is a section.");
            return false;
        }

        if (section.Value is { } text && format.Accepts(text))
        {
            return true;
        }

        var hint = section.Value is { } wrong && format.Hint(wrong) is { } found ? $"; {found}" : "";
        var end = hint.EndsWith('?') ? "" : ".";
        problems.Add(section.Path, $"{section.Path} must be {format.Rule}, but is {ConfigurationText.Quote(section.Value)}{hint}{end}");
        return false;
    }

    private static string UnknownKey(IConfigurationSection section, IReadOnlyCollection<string> known) =>
        ConfigurationText.Closest(section.Key, known) is { } meant
            ? $"{section.Path} is not a known key; did you mean {meant}?"
            : $"{section.Path} is not a known key; known are {string.Join(", ", known.Order(StringComparer.Ordinal))}.";

    // A provider that has no null (the environment, the command line) says it with an empty value.
    private static bool IsNull(IConfigurationSection section, OptionsProperty property) =>
        section.Value is null || (section.Value.Length == 0 && property.Type != typeof(string));
}

/// <summary>The sound part of a section, taken once and applicable to any number of options.</summary>
internal sealed class OptionsReading<TOptions>(
    Action<IConfiguration, TOptions> bind,
    Dictionary<string, string?> sound,
    IReadOnlyList<Action<TOptions>> nulls,
    IReadOnlySet<string> unreadable)
    where TOptions : class
{
    private readonly IConfiguration _sound = new ConfigurationBuilder().AddInMemoryCollection(sound).Build();

    /// <summary>Properties whose value could not be read; rules about them would only confuse.</summary>
    public IReadOnlySet<string> Unreadable => unreadable;

    public void ApplyTo(TOptions options)
    {
        bind(_sound, options);

        // The binder takes null for "not there"; here it switches off what would be inherited.
        foreach (var setNull in nulls)
        {
            setNull(options);
        }
    }
}
