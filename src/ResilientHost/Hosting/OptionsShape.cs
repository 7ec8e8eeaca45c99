using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ResilientHost.Hosting;

/// <summary>
/// The settable properties of an options type: the one list behind known keys and the log of what changed.
/// </summary>
/// <remarks>Reflection at start and reload only; trimming keeps the properties because of the annotation on <see cref="Of"/>.</remarks>
internal sealed class OptionsShape
{
    private readonly Dictionary<string, OptionsProperty> _byName;
    private readonly IReadOnlyList<PropertyInfo> _code;

    private OptionsShape(IReadOnlyList<OptionsProperty> properties, IReadOnlyList<PropertyInfo> code)
    {
        Properties = properties;
        _code = code;
        _byName = properties.ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Properties that a configuration key can set.</summary>
    public IReadOnlyList<OptionsProperty> Properties { get; }

    public IEnumerable<string> Names => Properties.Select(p => p.Name);

    public static OptionsShape Of<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>()
    {
        var properties = typeof(TOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.GetMethod is not null && p.GetIndexParameters().Length == 0)
            .OrderBy(p => p.Name, StringComparer.Ordinal)
            .ToList();
        return new(
            [.. properties.Select(OptionsProperty.TryCreate).OfType<OptionsProperty>()],
            [.. properties.Where(p => typeof(Delegate).IsAssignableFrom(p.PropertyType) && p.SetMethod is { IsPublic: true })]);
    }

    public OptionsProperty? Find(string key) => _byName.GetValueOrDefault(key);

    /// <summary>Names of properties that code alone can set, and has.</summary>
    public IEnumerable<string> SetInCode(object options) => _code.Where(property => property.GetValue(options) is not null).Select(static property => property.Name);

    /// <summary>What differs, for people: values of thresholds, only names of texts, collections and code.</summary>
    public IReadOnlyList<string> Differences(object before, object after) =>
    [
        .. Properties.Where(p => !p.AreEqual(before, after)).Select(p => p.DescribeChange(before, after)),
        .. _code.Where(p => !Equals(p.GetValue(before), p.GetValue(after))).Select(p => p.Name),
    ];
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

    /// <summary>A section that is options of its own.</summary>
    Section,
}

/// <summary>One property that configuration can set.</summary>
internal sealed class OptionsProperty
{
    private readonly PropertyInfo _property;

    private OptionsProperty(PropertyInfo property, OptionsPropertyKind kind, ValueFormat format, OptionsShape? section = null)
    {
        _property = property;
        Kind = kind;
        Format = format;
        Section = section;
        AcceptsNull = !property.PropertyType.IsValueType || Nullable.GetUnderlyingType(property.PropertyType) is not null;
    }

    public string Name => _property.Name;

    public Type Type => _property.PropertyType;

    public OptionsPropertyKind Kind { get; }

    /// <summary>Format of the value, or of each element.</summary>
    public ValueFormat Format { get; }

    public bool AcceptsNull { get; }

    /// <summary>Properties of a <see cref="OptionsPropertyKind.Section"/>; <see langword="null"/> for any other.</summary>
    public OptionsShape? Section { get; }

    public static OptionsProperty? TryCreate(PropertyInfo property)
    {
        if (SectionOf(property.PropertyType) is { } section)
        {
            return new(property, OptionsPropertyKind.Section, ValueFormat.For(typeof(string))!, section);
        }

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

    // Named one by one, so that trimming sees which properties are needed.
    private static OptionsShape? SectionOf(Type type) =>
        type == typeof(SignalOptions) ? OptionsShape.Of<SignalOptions>()
        : type == typeof(RetryOptions) ? OptionsShape.Of<RetryOptions>()
        : type == typeof(HedgingOptions) ? OptionsShape.Of<HedgingOptions>()
        : type == typeof(CircuitBreakerOptions) ? OptionsShape.Of<CircuitBreakerOptions>()
        : type == typeof(BulkheadOptions) ? OptionsShape.Of<BulkheadOptions>()
        : null;

    public object? Get(object options) => _property.GetValue(options);

    public void Set(object options, object? value) => _property.SetValue(options, value);

    public bool AreEqual(object before, object after)
    {
        var (a, b) = (Get(before), Get(after));
        return Section is not null ? Section.Differences(a!, b!).Count == 0
            : Kind == OptionsPropertyKind.Value || a is null || b is null
            ? Equals(a, b)
            : ((IEnumerable)a).Cast<object>().ToHashSet().SetEquals(((IEnumerable)b).Cast<object>());
    }

    public string DescribeChange(object before, object after) =>
        Section is not null ? string.Join(", ", Section.Differences(Get(before)!, Get(after)!).Select(change => $"{Name}:{change}"))
        : Kind == OptionsPropertyKind.Value && Type != typeof(string)
            ? $"{Name} {ConfigurationText.Show(Get(before))} → {ConfigurationText.Show(Get(after))}"
            : Name;
}
