namespace ResilientHost.Signals;

/// <summary>How fast a value grows, smoothed: the distance from its exponential moving average is what it grows in the average's time constant.</summary>
/// <remarks>
/// Not thread-safe. Mutable struct: keep it in a field that is not read-only. Brown's double smoothing in its simplest form: exact for a straight line, whatever the distance between readings.
/// </remarks>
internal struct Slope(double timeConstantSeconds)
{
    private bool _hasLast;
    private double _average;

    /// <summary>The growth per second.</summary>
    /// <param name="seconds">Time since the last reading; more than 0 but for the first.</param>
    /// <param name="value">The value; <see cref="double.NaN"/> makes the answer so and changes nothing.</param>
    public double Next(double seconds, double value)
    {
        if (double.IsNaN(value))
        {
            return double.NaN;
        }

        if (!_hasLast)
        {
            (_hasLast, _average) = (true, value);
            return 0;
        }

        var share = 1 - Math.Exp(-seconds / timeConstantSeconds);
        var slope = share * (value - _average) / seconds;
        _average += share * (value - _average);
        return slope;
    }
}
