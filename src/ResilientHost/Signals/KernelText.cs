using System.Buffers.Text;

namespace ResilientHost.Signals;

/// <summary>Reads numbers out of the kernel's text files.</summary>
/// <remarks>Pure. A number counts only if something blank ends it: what a short read cut off is no smaller number.</remarks>
internal static class KernelText
{
    /// <summary>The number at the start of a text, after blanks; it may be negative.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> text, out long value) => TryNumber(text, out value, out _);

    /// <summary>The number at the start of a text, after blanks, and what comes behind it.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> text, out long value, out ReadOnlySpan<byte> rest)
    {
        text = text.TrimStart(" \t"u8);
        if (Utf8Parser.TryParse(text, out value, out var length) && length < text.Length && IsBlank(text[length]))
        {
            rest = text[length..];
            return true;
        }

        value = 0;
        rest = default;
        return false;
    }

    /// <summary>Whether a text starts with a word that something blank ends.</summary>
    public static bool StartsWithWord(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word) =>
        text.StartsWith(word) && text.Length > word.Length && IsBlank(text[word.Length]);

    /// <summary>The rest of the first line that starts with some text, with the line's end; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> text, ReadOnlySpan<byte> start)
    {
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..(end + 1)];
            if (line.StartsWith(start))
            {
                return line[start.Length..];
            }

            text = text[line.Length..];
        }

        return default;
    }

    /// <summary>The number behind a word in one line, not negative; -1 when there is none.</summary>
    public static long NumberAfter(ReadOnlySpan<byte> line, ReadOnlySpan<byte> word)
    {
        var at = line.IndexOf(word);
        return at >= 0 && TryNumber(line[(at + word.Length)..], out var value) ? Math.Max(value, -1) : -1;
    }

    private static bool IsBlank(byte character) => character is (byte)' ' or (byte)'\n' or (byte)'\t' or (byte)'\r';
}
