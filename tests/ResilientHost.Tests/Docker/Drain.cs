using System.Globalization;
using System.Text.RegularExpressions;

namespace ResilientHost.Tests.Docker;

/// <summary>How long a host may take to stop, from its settings.</summary>
internal static class Drain
{
    public static TimeSpan Of(string? readinessDelay, string? shutdownTimeoutSeconds) =>
        TimeSpan.Parse(readinessDelay.ShouldNotBeNull(), CultureInfo.InvariantCulture) +
        TimeSpan.FromSeconds(int.Parse(shutdownTimeoutSeconds.ShouldNotBeNull(), CultureInfo.InvariantCulture));

    public static string ShouldMatchGroup(this string text, string pattern)
    {
        var match = Regex.Match(text, pattern, RegexOptions.None, TimeSpan.FromSeconds(1));
        match.Success.ShouldBeTrue(pattern);
        return match.Groups[1].Value;
    }
}
