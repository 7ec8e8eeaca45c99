using System.Globalization;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Degradation;

/// <summary>The bounds of <see cref="DegradationOptions"/>; all errors at once.</summary>
internal static class DegradationOptionsValidator
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(10);

    /// <summary>What is wrong with the options; the environment makes no difference to them.</summary>
    public static IEnumerable<string> Errors(DegradationOptions options, IHostEnvironment? environment)
    {
        _ = environment;
        if (options.Mode is { } mode && !Enum.IsDefined(mode))
        {
            yield return $"Degradation: {nameof(options.Mode)} must be Enforce or Shadow, or null, but is {(int)mode}.";
        }

        if (options.SampleInterval < ShortestInterval || options.SampleInterval > LongestInterval)
        {
            yield return $"Degradation: {nameof(options.SampleInterval)} must be from {ShortestInterval:c} to {LongestInterval:c} (hh:mm:ss), but is {options.SampleInterval:c}.";
        }

        foreach (var (name, value, longest) in new[]
        {
            (nameof(options.Smoothing), options.Smoothing, TimeSpan.FromMinutes(1)),
            (nameof(options.MinimumDwell), options.MinimumDwell, TimeSpan.FromMinutes(10)),
            (nameof(options.StartupGrace), options.StartupGrace, TimeSpan.FromMinutes(10)),
            (nameof(options.RampUp), options.RampUp, TimeSpan.FromMinutes(10)),
            (nameof(options.RampDown), options.RampDown, TimeSpan.FromHours(1)),
        })
        {
            if (value < TimeSpan.Zero || value > longest)
            {
                yield return $"Degradation: {name} must be from 00:00:00 to {longest:c} (hh:mm:ss), but is {value:c}.";
            }
        }

        foreach (var (name, signal) in DegradationSignals.Of(options))
        {
            // NaN fails every comparison, so the rules are written as what must hold.
            if (!double.IsFinite(signal.Exit) || !(signal.Exit >= 0))
            {
                yield return $"Degradation: {name}:{nameof(signal.Exit)} must be 0 or more, but is {Text(signal.Exit)}.";
            }
            else if (!double.IsFinite(signal.Enter) || !(signal.Enter > signal.Exit))
            {
                yield return $"Degradation: {name}:{nameof(signal.Enter)} must be above {name}:{nameof(signal.Exit)} ({Text(signal.Exit)}), but is {Text(signal.Enter)}.";
            }
        }
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
