using System.Globalization;

namespace ResilientHost.Dashboard;

/// <summary>How long something that a person does holds, as its text says.</summary>
internal static class OperationDuration
{
    public const string Rule = "must be a duration as in \"00:30:00\" (hh:mm:ss), above zero and at most 1 day";

    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static TimeSpan? Parse(string text) =>
        TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var duration)
            && duration > TimeSpan.Zero
            && duration <= Longest
            && text.Contains(':', StringComparison.Ordinal)
            ? duration
            : null;
}
