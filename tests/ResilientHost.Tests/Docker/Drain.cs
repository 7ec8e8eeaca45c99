using System.Globalization;
using System.Text.RegularExpressions;

namespace ResilientHost.Tests.Docker;

/// <summary>How long a process may take to end, from its settings.</summary>
internal static class Drain
{
    /// <summary>The host's time to stop, of which the readiness delay is the first part, and what telemetry takes afterwards: when the host has stopped and when it is disposed of.</summary>
    public static TimeSpan Of(string? readinessDelay, string? shutdownTimeoutSeconds)
    {
        var shutdown = TimeSpan.FromSeconds(int.Parse(shutdownTimeoutSeconds.ShouldNotBeNull(), CultureInfo.InvariantCulture));
        TimeSpan.Parse(readinessDelay.ShouldNotBeNull(), CultureInfo.InvariantCulture).ShouldBeLessThan(shutdown, "or no time is left to finish anything");
        return shutdown + (2 * new ResilienceTelemetryOptions().FlushTimeout);
    }

    public static string ShouldMatchGroup(this string text, string pattern)
    {
        var match = Regex.Match(text, pattern, RegexOptions.None, TimeSpan.FromSeconds(1));
        match.Success.ShouldBeTrue(pattern);
        return match.Groups[1].Value;
    }
}
