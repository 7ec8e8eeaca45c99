using Microsoft.Extensions.Hosting;

namespace ResilientHost.Timeouts;

/// <summary>The bounds of <see cref="TimeoutOptions"/>; all errors at once.</summary>
internal static class TimeoutOptionsValidator
{
    /// <summary>The longest timeout, also of one endpoint.</summary>
    public static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(1);

    private static readonly TimeSpan MaxGrace = TimeSpan.FromHours(1);

    /// <summary>What is wrong with the options; the environment makes no difference to them.</summary>
    public static IEnumerable<string> Errors(TimeoutOptions options, IHostEnvironment? environment)
    {
        _ = environment;
        if (options.Default is { } timeout && !IsTimeout(timeout))
        {
            yield return $"Timeouts: Default must be more than 00:00:00 and at most {MaxTimeout:c} (d.hh:mm:ss), or null for none, but is {timeout:c}.";
        }

        if (options.Grace <= TimeSpan.Zero || options.Grace > MaxGrace)
        {
            yield return $"Timeouts: Grace must be more than 00:00:00 and at most {MaxGrace:c} (hh:mm:ss), but is {options.Grace:c}.";
        }
    }

    /// <summary>Whether a request can have this timeout.</summary>
    public static bool IsTimeout(TimeSpan timeout) => timeout > TimeSpan.Zero && timeout <= MaxTimeout;
}
