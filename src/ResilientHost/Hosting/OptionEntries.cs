using System.Collections;
using System.Globalization;

namespace ResilientHost.Hosting;

/// <summary>Lists options one by one, for people.</summary>
internal static class OptionEntries
{
    /// <summary>What stands for a value that only code can set.</summary>
    public const string Code = "(code)";

    private static readonly ValueFormat TrueOrFalse = ValueFormat.For(typeof(bool))!;
    private static readonly ValueFormat Text = ValueFormat.For(typeof(string))!;

    /// <summary>All that is in force, in the order of the section's layers.</summary>
    /// <param name="options">Validated options.</param>
    public static IReadOnlyList<OptionEntry> Of(ResilienceOptions options)
    {
        var pristine = new ResilienceOptions();
        return
        [
            Switch(nameof(options.Enabled), options.Enabled),
            new(nameof(options.UnknownKeys), [], Show(options.UnknownKeys), Show(pristine.UnknownKeys)) { Format = ValueFormat.For(typeof(UnknownKeyHandling)) },
            .. ResilienceLayers.All.SelectMany(layer => layer.Describe(options, pristine)),
        ];
    }

    /// <summary>A kill switch or the like, which is on unless somebody says otherwise.</summary>
    public static OptionEntry Switch(string key, bool value, bool isOn = true) => new(key, [], Show(value), Show(isOn)) { Format = TrueOrFalse };

    /// <summary>The name that a name starts from.</summary>
    public static OptionEntry Inherit(string key, string parent) => new(key, [], parent, Default: null) { Format = Text };

    /// <summary>Every option of one options object.</summary>
    /// <param name="shape">Its properties.</param>
    /// <param name="options">The object.</param>
    /// <param name="pristine">One that nobody has touched.</param>
    /// <param name="path">Its key.</param>
    /// <param name="parents">Keys of those that it inherits from, nearest first.</param>
    public static IEnumerable<OptionEntry> Of(OptionsShape shape, object options, object pristine, string path, IReadOnlyList<string> parents)
    {
        foreach (var property in shape.Properties)
        {
            var key = $"{path}:{property.Name}";
            IReadOnlyList<string> inherited = [.. parents.Select(parent => $"{parent}:{property.Name}")];
            var (value, usual) = (property.Get(options), property.Get(pristine));
            var entries = property switch
            {
                { Section: { } section } => Of(section, value!, usual!, key, inherited),
                { Kind: OptionsPropertyKind.Map } when value is IDictionary map => OfMap(property, map, usual as IDictionary, key, inherited),
                { Kind: OptionsPropertyKind.List or OptionsPropertyKind.Map } when value is IEnumerable list => OfList(property, list, key),
                _ => [new(key, inherited, Show(value), Show(usual)) { Format = property.Format, IsText = property.Type == typeof(string) }],
            };
            foreach (var entry in entries)
            {
                yield return entry;
            }
        }

        foreach (var name in shape.SetInCode(options))
        {
            yield return new($"{path}:{name}", [], Code, Default: null);
        }
    }

    /// <summary>A value as configuration would write it.</summary>
    public static string? Show(object? value) => value switch
    {
        null => null,
        bool isTrue => isTrue ? "true" : "false",
        TimeSpan duration => duration.ToString("c", CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    private static IEnumerable<OptionEntry> OfMap(OptionsProperty property, IDictionary map, IDictionary? usual, string key, IReadOnlyList<string> inherited) =>
        map.Keys.Cast<string>().Order(StringComparer.Ordinal).Select(name => new OptionEntry(
            $"{key}:{name}",
            [.. inherited.Select(parent => $"{parent}:{name}")],
            Show(map[name]),
            usual is not null && usual.Contains(name) ? Show(usual[name]) : null)
        { Format = property.Format, IsText = true });

    private static IEnumerable<OptionEntry> OfList(OptionsProperty property, IEnumerable list, string key) =>
        list.Cast<object?>().Select((item, index) => new OptionEntry($"{key}:{index}", [], Show(item), Default: null) { Format = property.Format, IsText = true });
}
