using System.Globalization;

namespace ResilientHost.Hosting;

/// <summary>Sentences about values that lie outside of their bounds.</summary>
/// <remarks>Every start asks for all of them: neither generic code nor iterators, which the runtime would have to compile for each type of value.</remarks>
internal static class OptionBounds
{
    /// <summary>The error of a duration; none if it lies within the bounds, both included.</summary>
    public static IEnumerable<string> Of(string property, TimeSpan? value, TimeSpan min, TimeSpan max, string orElse = "") =>
        value is { } duration && (duration < min || duration > max)
            ? [$"{property} must be {min:c} to {max:c} (d.hh:mm:ss){orElse}, but is {duration:c}."]
            : [];

    /// <summary>The error of a whole number; none if it lies within the bounds, both included.</summary>
    public static IEnumerable<string> Of(string property, long value, long min, long max, string unit) =>
        value >= min && value <= max ? [] : [Sentence(property, value, min, max, unit)];

    /// <summary>The error of a number; none if it lies within the bounds, both included.</summary>
    public static IEnumerable<string> Of(string property, double value, double min, double max, string unit) =>
        // Not the other way round: NaN is within no bounds.
        value >= min && value <= max ? [] : [Sentence(property, value, min, max, unit)];

    /// <summary>The error of an enumeration's value; none if it is one.</summary>
    public static IEnumerable<string> Of(string property, Enum? value, string orElse = "") =>
        value is not null && !Enum.IsDefined(value.GetType(), value)
            ? [$"{property} must be one of {string.Join(", ", Enum.GetNames(value.GetType()))}{orElse}, but is {value:D}."]
            : [];

    private static string Sentence(string property, IFormattable value, IFormattable min, IFormattable max, string unit) =>
        string.Create(CultureInfo.InvariantCulture, $"{property} must be {min} to {max}{(unit.Length > 0 ? " " : "")}{unit}, but is {value}.");
}
