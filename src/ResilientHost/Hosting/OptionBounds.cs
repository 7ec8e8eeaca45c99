using System.Globalization;
using System.Numerics;

namespace ResilientHost.Hosting;

/// <summary>Sentences about values that lie outside of their bounds.</summary>
internal static class OptionBounds
{
    /// <summary>The error of a duration; none if it lies within the bounds, both included.</summary>
    public static IEnumerable<string> Of(string property, TimeSpan? value, TimeSpan min, TimeSpan max, string orElse = "")
    {
        if (value is { } duration && (duration < min || duration > max))
        {
            yield return $"{property} must be {min:c} to {max:c} (d.hh:mm:ss){orElse}, but is {duration:c}.";
        }
    }

    /// <summary>The error of a number; none if it lies within the bounds, both included.</summary>
    public static IEnumerable<string> Of<T>(string property, T value, T min, T max, string unit)
        where T : INumber<T>
    {
        // Not the other way round: NaN is within no bounds.
        if (!(value >= min && value <= max))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{property} must be {min} to {max}{(unit.Length > 0 ? " " : "")}{unit}, but is {value}.");
        }
    }

    /// <summary>The error of an enumeration's value; none if it is one.</summary>
    public static IEnumerable<string> Of<TEnum>(string property, TEnum? value, string orElse = "")
        where TEnum : struct, Enum
    {
        if (value is { } name && !Enum.IsDefined(name))
        {
            yield return $"{property} must be one of {string.Join(", ", Enum.GetNames<TEnum>())}{orElse}, but is {name:D}.";
        }
    }
}
