using Microsoft.Extensions.Hosting;

namespace ResilientHost.Fallbacks;

/// <summary>The bounds of <see cref="FallbackOptions"/>; all errors at once.</summary>
internal static class FallbackOptionsValidator
{
    private const int MaxConcurrency = 100_000;
    private const int MaxResponseBytes = 64 * 1024 * 1024;
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromHours(1);

    public static IEnumerable<string> Errors(FallbackOptions options, IHostEnvironment? environment)
    {
        if (options.MaxConcurrency is < 1 or > MaxConcurrency)
        {
            yield return $"Fallbacks: MaxConcurrency must be 1 to {MaxConcurrency} calls, but is {options.MaxConcurrency}. To switch fallbacks off, set Enabled to false.";
        }

        if (options.Timeout <= TimeSpan.Zero || options.Timeout > MaxTimeout)
        {
            yield return $"Fallbacks: Timeout must be more than 00:00:00 and at most {MaxTimeout:c} (hh:mm:ss), but is {options.Timeout:c}.";
        }

        if (options.MaxStaleResponseBytes is < 1 or > MaxResponseBytes)
        {
            yield return $"Fallbacks: MaxStaleResponseBytes must be 1 to {MaxResponseBytes} bytes, but is {options.MaxStaleResponseBytes}.";
        }

        if (options.MaxStaleStoreBytes < options.MaxStaleResponseBytes)
        {
            yield return $"Fallbacks: MaxStaleStoreBytes must be at least MaxStaleResponseBytes ({options.MaxStaleResponseBytes} bytes), but is {options.MaxStaleStoreBytes}.";
        }
    }
}
