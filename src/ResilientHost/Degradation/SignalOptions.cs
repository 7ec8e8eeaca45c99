namespace ResilientHost;

/// <summary>When one signal raises the service level, and when it lets go.</summary>
/// <remarks>Not thread-safe; read once per change of configuration.</remarks>
public sealed class SignalOptions
{
    /// <summary>Makes options of a signal that decides.</summary>
    public SignalOptions()
    {
    }

    internal SignalOptions(double enter, double exit, bool enabled = true) => (Enter, Exit, Enabled) = (enter, exit, enabled);

    /// <summary>Whether the signal has a say. One that has none is measured and shown all the same.</summary>
    /// <value>Default: see the signal in <see cref="DegradationOptions"/>; reloads.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>From this smoothed value on (≥) the service level rises.</summary>
    /// <value>Above <see cref="Exit"/>, finite; default and unit: see the signal in <see cref="DegradationOptions"/>. Reloads.</value>
    public double Enter { get; set; } = 1;

    /// <summary>Down to this smoothed value (≤) the signal no longer holds the service level.</summary>
    /// <value>0 or more and below <see cref="Enter"/>; default and unit: see the signal in <see cref="DegradationOptions"/>. Reloads.</value>
    public double Exit { get; set; }
}
