namespace ResilientHost.Degradation;

/// <summary>Degradation as configuration wants it, read once: later changes of the options do not reach it. Immutable.</summary>
/// <param name="options">Valid options.</param>
internal sealed class DegradationPolicy(DegradationOptions options)
{
    private readonly Dictionary<string, SignalThresholds> _thresholds = DegradationSignals.All.ToDictionary(
        name => name, name => SignalThresholds.Of(DegradationSignals.Find(options, name)!), StringComparer.Ordinal);

    /// <summary>Whether there is any degradation: the layer's switch, unless whoever makes the policy knows of another one that is off.</summary>
    public bool Enabled { get; init; } = options.Enabled;

    /// <summary>As configured; <see langword="null"/> leaves it to whether endpoints say their criticality.</summary>
    public DegradationMode? Mode { get; } = options.Mode;

    public TimeSpan SampleInterval { get; } = options.SampleInterval;

    public TimeSpan Smoothing { get; } = options.Smoothing;

    public TimeSpan MinimumDwell { get; } = options.MinimumDwell;

    public TimeSpan StartupGrace { get; } = options.StartupGrace;

    public TimeSpan RampUp { get; } = options.RampUp;

    public TimeSpan RampDown { get; } = options.RampDown;

    /// <summary>The thresholds of one of <see cref="DegradationSignals.All"/>.</summary>
    public SignalThresholds ThresholdsOf(string signal) => _thresholds[signal];
}

/// <summary>From where on a signal asks for less service, and down to where it no longer does.</summary>
internal readonly record struct SignalThresholds(double Enter, double Exit, bool IsEnabled)
{
    public static SignalThresholds Of(SignalOptions options) => new(options.Enter, options.Exit, options.Enabled);
}
