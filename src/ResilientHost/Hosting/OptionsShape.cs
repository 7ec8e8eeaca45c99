using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ResilientHost.Hosting;

/// <summary>
/// The settable properties of an options type: the one list behind known keys, inheritance and the log of what changed.
/// </summary>
/// <remarks>Reflection at start and reload only; trimming keeps the properties because of the annotation on <see cref="Of"/>.</remarks>
internal sealed class OptionsShape
{
    private readonly Dictionary<string, OptionsProperty> _byName;

    private OptionsShape(IReadOnlyList<OptionsProperty> properties)
    {
        Properties = properties;
        _byName = properties.ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Properties that a configuration key can set.</summary>
    public IReadOnlyList<OptionsProperty> Properties { get; }

    public IEnumerable<string> Names => Properties.Select(p => p.Name);

    public static OptionsShape Of<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>() =>
        new([.. typeof(TOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.GetMethod is not null && p.GetIndexParameters().Length == 0)
            .Select(OptionsProperty.TryCreate)
            .OfType<OptionsProperty>()
            .OrderBy(p => p.Name, StringComparer.Ordinal)]);

    public OptionsProperty? Find(string key) => _byName.GetValueOrDefault(key);

    /// <summary>Copies single values; collections are not inherited and no inheriting options type has one.</summary>
    public void Copy(object from, object to)
    {
        foreach (var property in Properties.Where(p => p.Kind == OptionsPropertyKind.Value))
        {
            property.Set(to, property.Get(from));
        }
    }

    /// <summary>What differs, for people: values of thresholds, only names of texts and collections.</summary>
    public IReadOnlyList<string> Differences(object before, object after) =>
        [.. Properties.Where(p => !p.AreEqual(before, after)).Select(p => p.DescribeChange(before, after))];
}

/// <summary>How a property is written in configuration.</summary>
internal enum OptionsPropertyKind
{
    /// <summary>One value.</summary>
    Value,

    /// <summary>A section of keys and values.</summary>
    Map,

    /// <summary>A section of values.</summary>
    List,
}

/// <summary>One property that configuration can set.</summary>
internal sealed class OptionsProperty
{
    private readonly PropertyInfo _property;

    private OptionsProperty(PropertyInfo property, OptionsPropertyKind kind, ValueFormat format)
    {
        _property = property;
        Kind = kind;
        Format = format;
        AcceptsNull = !property.PropertyType.IsValueType || Nullable.GetUnderlyingType(property.PropertyType) is not null;
    }

    public string Name => _property.Name;

    public Type Type => _property.PropertyType;

    public OptionsPropertyKind Kind { get; }

    /// <summary>Format of the value, or of each element.</summary>
    public ValueFormat Format { get; }

    public bool AcceptsNull { get; }

    public static OptionsProperty? TryCreate(PropertyInfo property)
    {
        if (ValueFormat.For(property.PropertyType) is { } format)
        {
            return property.SetMethod is { IsPublic: true } ? new(property, OptionsPropertyKind.Value, format) : null;
        }

        if (!property.PropertyType.IsGenericType || !typeof(IEnumerable).IsAssignableFrom(property.PropertyType))
        {
            return null;
        }

        return property.PropertyType.GetGenericArguments() switch
        {
            [var key, var value] when key == typeof(string) && ValueFormat.For(value) is { } element => new(property, OptionsPropertyKind.Map, element),
            [var value] when ValueFormat.For(value) is { } element => new(property, OptionsPropertyKind.List, element),
            _ => null,
        };
    }

    public object? Get(object options) => _property.GetValue(options);

    public void Set(object options, object? value) => _property.SetValue(options, value);

    public bool AreEqual(object before, object after)
    {
        var (a, b) = (Get(before), Get(after));
        return Kind == OptionsPropertyKind.Value || a is null || b is null
            ? Equals(a, b)
            : ((IEnumerable)a).Cast<object>().ToHashSet().SetEquals(((IEnumerable)b).Cast<object>());
    }

    public string DescribeChange(object before, object after) =>
        Kind == OptionsPropertyKind.Value && Type != typeof(string)
            ? $"{Name} {ConfigurationText.Show(Get(before))} → {ConfigurationText.Show(Get(after))}"
            : Name;
}
