using System.Globalization;

namespace ResilientHost.Benchmarks.Charts;

/// <summary>What values of one direction mean in length.</summary>
/// <param name="Low">The value at its beginning.</param>
/// <param name="High">The value at its end.</param>
/// <param name="Ticks">Values that are written beside it.</param>
/// <param name="IsLogarithmic">Whether equal lengths are equal factors.</param>
internal sealed record ChartAxis(double Low, double High, IReadOnlyList<double> Ticks, bool IsLogarithmic = false)
{
    private static readonly double[] NiceSteps = [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10];

    /// <summary>Linear, from a value to another, both of them ticks.</summary>
    public static ChartAxis Between(double low, double high, int parts) =>
        new(low, high, [.. Enumerable.Range(0, parts + 1).Select(part => low + ((high - low) * part / parts))]);

    /// <summary>Linear, from nothing to a round value that is not below the highest.</summary>
    public static ChartAxis FromZero(double highest, int parts = 4) => Between(0, Nice(highest), parts);

    /// <summary>Logarithmic, over all decades that the values lie in; what is not above zero has no place on it.</summary>
    public static ChartAxis Decades(IEnumerable<double> values)
    {
        var positive = values.Where(value => value > 0).DefaultIfEmpty(1).ToArray();
        var low = (int)Math.Floor(Math.Log10(positive.Min()));
        var high = Math.Max((int)Math.Ceiling(Math.Log10(positive.Max())), low + 1);
        return new ChartAxis(Math.Pow(10, low), Math.Pow(10, high), [.. Enumerable.Range(low, high - low + 1).Select(power => Math.Pow(10, power))], IsLogarithmic: true);
    }

    /// <summary>Logarithmic, from the least to the greatest of the values, each of them a tick.</summary>
    public static ChartAxis At(IEnumerable<double> values)
    {
        var ticks = values.Distinct().Order().ToArray();
        return new ChartAxis(ticks[0], ticks[^1], ticks, IsLogarithmic: true);
    }

    /// <summary>How far along the axis a value lies: 0 to 1. Beyond the ends it lies at the end.</summary>
    public double ShareOf(double value)
    {
        var share = IsLogarithmic
            ? (Math.Log(Math.Max(value, double.Epsilon)) - Math.Log(Low)) / (Math.Log(High) - Math.Log(Low))
            : (value - Low) / (High - Low);
        return double.IsFinite(share) ? Math.Clamp(share, 0, 1) : 0;
    }

    public static string Text(double value) => value is > 0 and < 0.01
        ? value.ToString("0.#####", CultureInfo.InvariantCulture)
        : value.ToString("#,0.##", CultureInfo.InvariantCulture);

    private static double Nice(double value)
    {
        if (value <= 0)
        {
            return 1;
        }

        var unit = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return unit * NiceSteps.First(step => step * unit >= value * (1 - 1e-9));
    }
}
