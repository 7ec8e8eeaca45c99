using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace ResilientHost.Propagation;

/// <summary>Reads what a caller says of its call. Anything but exactly what a service of ours would write says nothing.</summary>
/// <remarks>Stateless; does not throw, does not allocate.</remarks>
internal static class InboundHeaders
{
    /// <summary>The highest number of an attempt that is told or believed.</summary>
    public const int MaxAttempt = 99;

    private const int MaxDeadlineDigits = 9;
    private const int MaxAttemptDigits = 2;

    /// <summary>More time than this is never granted.</summary>
    public static readonly TimeSpan MaxDeadline = TimeSpan.FromDays(1);

    /// <summary>Whether the caller says anything of its time at all.</summary>
    public static bool MayHaveDeadline(IHeaderDictionary headers) => headers[PropagationHeaders.Deadline].Count != 0;

    /// <summary>How much time the caller has left, as it says; <see langword="null"/> when it says nothing. Whether it is to be believed is another question.</summary>
    public static TimeSpan? DeadlineOf(IHeaderDictionary headers)
    {
        var values = headers[PropagationHeaders.Deadline];
        if (Number(values, MaxDeadlineDigits) is not { } milliseconds)
        {
            return null;
        }

        var left = TimeSpan.FromMilliseconds(milliseconds, 0);
        return left < MaxDeadline ? left : MaxDeadline;
    }

    /// <summary>Which attempt of its caller's a request is; 1 when it says nothing.</summary>
    public static int AttemptOf(IHeaderDictionary headers) =>
        Number(headers[PropagationHeaders.Attempt], MaxAttemptDigits) is { } number and > 0 ? number : 1;

    /// <summary>The number of an attempt; <see langword="null"/> when the text is none.</summary>
    public static int? ParseAttempt(string text) => Number(text, MaxAttemptDigits) is { } number and > 0 ? number : null;

    // Two values contradict each other, whichever comes first.
    private static int? Number(in StringValues values, int maxDigits) => values.Count == 1 ? Number(values[0], maxDigits) : null;

    // Not int.Parse, which takes signs, blanks and, depending on the culture, more.
    private static int? Number(string? text, int maxDigits)
    {
        if (text is null || text.Length == 0 || text.Length > maxDigits)
        {
            return null;
        }

        var number = 0;
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c))
            {
                return null;
            }

            number = (number * 10) + (c - '0');
        }

        return number;
    }
}
