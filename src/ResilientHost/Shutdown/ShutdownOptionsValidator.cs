using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;

namespace ResilientHost.Shutdown;

/// <summary>The bounds of <see cref="ShutdownOptions"/>.</summary>
internal static class ShutdownOptionsValidator
{
    /// <summary>What is wrong with the options; the environment makes no difference to them.</summary>
    public static IEnumerable<string> Errors(ShutdownOptions options, IHostEnvironment? environment)
    {
        _ = environment;
        return OptionBounds.Of(nameof(options.ReadinessDelay), options.ReadinessDelay, TimeSpan.Zero, TimeSpan.FromMinutes(10)).Select(rule => $"Shutdown: {rule}");
    }
}
