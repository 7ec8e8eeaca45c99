using System.Globalization;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Connections;

/// <summary>The bounds of <see cref="ConnectionOptions"/>; all errors at once.</summary>
internal static class ConnectionOptionsValidator
{
    private const int MaxReservedDescriptors = 100_000;
    private const int MaxConnectionsPerSecond = 1_000_000;

    /// <summary>What is wrong with the options; the environment makes no difference to them.</summary>
    public static IEnumerable<string> Errors(ConnectionOptions options, IHostEnvironment? environment)
    {
        _ = environment;
        if (options.ReservedDescriptors is < 0 or > MaxReservedDescriptors)
        {
            yield return $"Connections: {nameof(options.ReservedDescriptors)} must be 0 to {Text(MaxReservedDescriptors)} descriptors, 0 for no reserve, but is {Text(options.ReservedDescriptors)}.";
        }

        if (options.SurvivalConnectionsPerSecond is { } rate and (< 1 or > MaxConnectionsPerSecond))
        {
            yield return $"Connections: {nameof(options.SurvivalConnectionsPerSecond)} must be 1 to {Text(MaxConnectionsPerSecond)} connections per second, or null for no limit, but is {Text(rate)}.";
        }
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
