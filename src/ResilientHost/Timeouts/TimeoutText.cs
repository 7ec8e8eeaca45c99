using System.Globalization;

namespace ResilientHost;

/// <summary>Durations as text in attributes.</summary>
internal static class TimeoutText
{
    /// <summary>The duration; <see langword="null"/> when the text is not <c>[d.]hh:mm:ss[.fffffff]</c>.</summary>
    public static TimeSpan? Parse(string? text) =>
        TimeSpan.TryParseExact(text, ["c", "g"], CultureInfo.InvariantCulture, out var duration) ? duration : null;
}
