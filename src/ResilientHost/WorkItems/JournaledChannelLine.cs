using System.Buffers.Text;
using System.Security.Cryptography;

namespace ResilientHost.WorkItems;

/// <summary>
/// A line of a journal: 16 hex digits that vouch for the rest, a space, a number, and for an item a space and its JSON. Lines, so that damage to one leaves the others readable, and people can read them.
/// </summary>
internal static class JournaledChannelLine
{
    /// <summary>What a line takes beyond its JSON, at most.</summary>
    public const int Overhead = ChecksumLength + 1 + 20 + 1 + 1;

    private const int ChecksumLength = 16;
    private const byte Space = (byte)' ';
    private const byte LineFeed = (byte)'\n';

    /// <summary>The line of an item, or without JSON the line that says that it is finished.</summary>
    public static byte[] Of(long id, ReadOnlySpan<byte> json = default)
    {
        Span<byte> number = stackalloc byte[20];
        Utf8Formatter.TryFormat(id, number, out var digits);
        var line = new byte[ChecksumLength + 1 + digits + (json.IsEmpty ? 0 : 1 + json.Length) + 1];
        line[ChecksumLength] = Space;
        var content = line.AsSpan(ChecksumLength + 1, line.Length - ChecksumLength - 2);
        number[..digits].CopyTo(content);
        if (!json.IsEmpty)
        {
            content[digits] = Space;
            json.CopyTo(content[(digits + 1)..]);

            // Between the tokens of JSON a line feed is as good as a space, and within them there is none.
            content.Replace(LineFeed, Space);
        }

        WriteChecksum(content, line);
        line[^1] = LineFeed;
        return line;
    }

    /// <summary>Takes a line apart, without its line feed.</summary>
    /// <returns>Whether it is what was written.</returns>
    public static bool TryParse(ReadOnlySpan<byte> line, out long id, out ReadOnlySpan<byte> json)
    {
        id = 0;
        json = default;
        if (line.Length <= ChecksumLength + 1 || line[ChecksumLength] != Space)
        {
            return false;
        }

        var content = line[(ChecksumLength + 1)..];
        Span<byte> checksum = stackalloc byte[ChecksumLength];
        WriteChecksum(content, checksum);
        if (!checksum.SequenceEqual(line[..ChecksumLength]) || !Utf8Parser.TryParse(content, out id, out var digits))
        {
            return false;
        }

        json = digits < content.Length ? content[(digits + 1)..] : default;
        return true;
    }

    // The framework's own stable hash: its cyclic codes are a package. Half a microsecond for a usual item, against the write's several.
    private static void WriteChecksum(ReadOnlySpan<byte> content, Span<byte> destination)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        Convert.TryToHexStringLower(hash[..(ChecksumLength / 2)], destination, out _);
    }
}
