using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ResilientHost.Callers;

/// <summary>Makes keys of bounded length out of what callers and applications write, different texts staying different.</summary>
internal static class CallerText
{
    /// <summary>Longer keys are replaced by a digest, in characters.</summary>
    public const int MaxLength = 128;

    // No header can hold it, so what is marked by it meets nothing that is not.
    private const char Mark = '\n';
    private const string DigestMark = "\nsha256:";

    private static readonly SearchValues<char> AddressCharacters = SearchValues.Create("0123456789abcdefABCDEF.:/");

    /// <summary>The key for a text of the application's own.</summary>
    public static string Bound(string? text) => text switch
    {
        null => CallerKeys.Nobody,
        { Length: > MaxLength } => Digest(text),
        _ => text.StartsWith(Mark) ? Mark + text : text,
    };

    /// <summary>As <see cref="Bound"/>, for a text that stands beside addresses.</summary>
    public static string BoundUnlikeAddress(string? text) =>
        text is { Length: <= MaxLength } && LooksLikeAddress(text) ? Mark + text : Bound(text);

    private static bool LooksLikeAddress(ReadOnlySpan<char> text) =>
        text.IndexOfAnyExcept(AddressCharacters) < 0 && text.IndexOfAny('.', ':') >= 0;

    private static string Digest(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan()), hash);
        return $"{DigestMark}{Convert.ToHexStringLower(hash)}";
    }
}
