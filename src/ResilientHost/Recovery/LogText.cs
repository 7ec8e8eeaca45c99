using System.Globalization;
using System.Text;

namespace ResilientHost.Recovery;

/// <summary>Makes text that others chose safe for a log: one line, no terminal sequences, bounded.</summary>
/// <remarks>
/// Escapes control characters (line ends and ESC among them), the Unicode line and paragraph separators, bidirectional overrides and lone
/// surrogates, each of which can forge or hide a log line.
/// </remarks>
internal static class LogText
{
    /// <summary>The text itself when there is nothing to do, else an escaped copy of at most <paramref name="maxLength"/> characters and a note of what was cut.</summary>
    public static string Clean(string? text, int maxLength)
    {
        if (string.IsNullOrEmpty(text))
        {
            return string.Empty;
        }

        return text.Length <= maxLength && !NeedsEscape(text, allowLineEnds: false) ? text : Rewrite(text, maxLength, allowLineEnds: false);
    }

    /// <summary>As <see cref="Clean"/> for text of several lines, such as a stack.</summary>
    public static string CleanLines(string text, int maxLength) =>
        text.Length <= maxLength && !NeedsEscape(text, allowLineEnds: true) ? text : Rewrite(text, maxLength, allowLineEnds: true);

    public static bool NeedsEscape(ReadOnlySpan<char> text, bool allowLineEnds)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (IsUnsafe(text, i, allowLineEnds))
            {
                return true;
            }
        }

        return false;
    }

    private static string Rewrite(string text, int maxLength, bool allowLineEnds)
    {
        var kept = Math.Min(text.Length, maxLength);
        var builder = new StringBuilder(kept + 32);
        for (var i = 0; i < kept; i++)
        {
            if (!IsUnsafe(text, i, allowLineEnds))
            {
                builder.Append(text[i]);
                continue;
            }

            _ = text[i] switch
            {
                '\r' => builder.Append("\\r"),
                '\n' => builder.Append("\\n"),
                '\t' => builder.Append("\\t"),
                var c => builder.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
            };
            if (builder.Length >= maxLength)
            {
                kept = i + 1;
            }
        }

        if (kept < text.Length)
        {
            builder.Append(CultureInfo.InvariantCulture, $"... ({text.Length} characters)");
        }

        return builder.ToString();
    }

    private static bool IsUnsafe(ReadOnlySpan<char> text, int index, bool allowLineEnds)
    {
        var c = text[index];
        if (c is >= ' ' and <= '~')
        {
            return false;
        }

        if (char.IsSurrogate(c))
        {
            return char.IsHighSurrogate(c)
                ? index + 1 >= text.Length || !char.IsLowSurrogate(text[index + 1])
                : index == 0 || !char.IsHighSurrogate(text[index - 1]);
        }

        return c is '\r' or '\n' or '\t'
            ? !allowLineEnds
            : char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
    }
}
