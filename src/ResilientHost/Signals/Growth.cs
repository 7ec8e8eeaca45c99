namespace ResilientHost.Signals;

/// <summary>How fast a value grows per second: the slower of its growth over several seconds and over about the last one.</summary>
/// <remarks>
/// <para>The first keeps one jump from being taken for a trend; the second ends the alarm as soon as the growth does: a service that fills its caches at start and is done.</para>
/// <para>Not thread-safe. Mutable struct: keep it in a field that is not read-only.</para>
/// </remarks>
internal struct Growth()
{
    private Slope _long = new(timeConstantSeconds: 3);
    private Slope _short = new(timeConstantSeconds: 1);

    /// <summary>The growth per second, negative when the value falls; <see cref="double.NaN"/> for such a value.</summary>
    /// <param name="seconds">Time since the last reading; more than 0 but for the first.</param>
    /// <param name="value">The value.</param>
    public double Next(double seconds, double value) => Math.Min(_long.Next(seconds, value), _short.Next(seconds, value));
}
