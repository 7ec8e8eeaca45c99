using System.Globalization;

namespace ResilientHost.Hosting;

/// <summary>What the text of a configuration value must look like for one type; stricter than the binder where the binder guesses.</summary>
internal sealed class ValueFormat
{
    private readonly Type _type;

    private ValueFormat(Type type) => _type = type;

    /// <summary>The rule in words, to follow "must be".</summary>
    public string Rule => _type switch
    {
        _ when _type == typeof(bool) => "true or false",
        _ when _type == typeof(int) || _type == typeof(long) => "a whole number",
        _ when _type == typeof(double) => "a number",
        _ when _type == typeof(TimeSpan) => "a duration as in \"00:00:30\" (hh:mm:ss, with days \"1.00:00:00\")",
        _ when _type.IsEnum => $"one of {string.Join(", ", Enum.GetNames(_type))}",
        _ => "text",
    };

    /// <summary>The format of a type, or <see langword="null"/> when the type is not a single value.</summary>
    public static ValueFormat? For(Type type)
    {
        var value = Nullable.GetUnderlyingType(type) ?? type;
        return value == typeof(bool) || value == typeof(int) || value == typeof(long) || value == typeof(double)
            || value == typeof(TimeSpan) || value == typeof(string) || value.IsEnum
            ? new ValueFormat(value)
            : null;
    }

    public bool Accepts(string text) => _type switch
    {
        _ when _type == typeof(bool) => bool.TryParse(text, out _),
        _ when _type == typeof(int) => int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _),
        _ when _type == typeof(long) => long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _),
        _ when _type == typeof(double) =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number),

        // TimeSpan.Parse reads "30" as 30 days and "24:00:00" as 24 days; neither is what anyone meant.
        _ when _type == typeof(TimeSpan) =>
            text.Count(c => c == ':') == 2 && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out _),

        // Enum.Parse reads "7" as a member that does not exist.
        _ when _type.IsEnum => Enum.GetNames(_type).Contains(text.Trim(), StringComparer.OrdinalIgnoreCase),
        _ => true,
    };

    /// <summary>Whether a text that configuration has says this value, however it is written.</summary>
    /// <param name="text">What configuration has.</param>
    /// <param name="value">A value as <see cref="OptionEntries.Show"/> writes it.</param>
    public bool Means(string? text, string? value) => (text, value) switch
    {
        // A provider that has no null says it with an empty value.
        (null or "", null) => true,
        (null, _) or (_, null) => false,
        _ when _type == typeof(string) => text == value,
        _ when !Accepts(text) => false,
        _ when _type == typeof(double) => OptionEntries.Show(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)) == value,
        _ when _type == typeof(TimeSpan) => OptionEntries.Show(TimeSpan.ParseExact(text, "c", CultureInfo.InvariantCulture)) == value,
        _ when _type == typeof(int) || _type == typeof(long) => OptionEntries.Show(long.Parse(text, NumberStyles.Integer, CultureInfo.InvariantCulture)) == value,
        _ => string.Equals(text.Trim(), value, StringComparison.OrdinalIgnoreCase),
    };

    /// <summary>What to write instead, when the text tells what was meant; else <see langword="null"/>.</summary>
    public string? Hint(string text)
    {
        if (_type.IsEnum)
        {
            return ConfigurationText.Closest(text, Enum.GetNames(_type)) is { } name ? $"did you mean {name}?" : null;
        }

        return _type == typeof(TimeSpan)
            && double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < 86_400
            ? string.Create(CultureInfo.InvariantCulture, $"for {seconds} seconds write \"{TimeSpan.FromSeconds(seconds):c}\"")
            : null;
    }
}
