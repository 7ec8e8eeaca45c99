using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ResilientHost.DeadLetters;

/// <summary>Letters as lines of JSON.</summary>
[JsonSerializable(typeof(DeadLetter))]
internal sealed partial class DeadLetterJson : JsonSerializerContext
{
    private const int LongestMessage = 1024;

    // Made for files that people read, never for a page: quotes and letters beyond ASCII stay as short as they can be.
    private static readonly DeadLetterJson Readable = new(new JsonSerializerOptions
    {
        Converters = { new JsonStringEnumConverter<DeadLetterReason>() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    });

    /// <summary>The line of a letter with its line feed; its item cut to what it may be, and further if the line would not fit.</summary>
    public static byte[] LineOf(DeadLetter letter, DeadLetterOptions options)
    {
        if (letter.ExceptionMessage is { Length: > LongestMessage } message)
        {
            letter = letter with { ExceptionMessage = Cut(message, LongestMessage) };
        }

        // A line that an empty journal has no room for would be offered again for ever, and its worker would take no more items.
        letter = WithItemWithin(letter, (int)Math.Min(options.MaxItemBytes, options.MaxBytes / 4));
        var longest = Math.Min(options.MaxFileBytes, options.MaxBytes);
        var line = Serialize(letter);
        while (line.Length > longest && letter.Item.Length > 0)
        {
            letter = letter with { Item = Cut(letter.Item, letter.Item.Length / 2), IsTruncated = true };
            line = Serialize(letter);
        }

        return line;
    }

    /// <summary>The letter that a line holds; <see langword="null"/> if it holds none.</summary>
    public static DeadLetter? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, Readable.DeadLetter);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static DeadLetter WithItemWithin(DeadLetter letter, int bytes)
    {
        if (Encoding.UTF8.GetByteCount(letter.Item) <= bytes)
        {
            return letter;
        }

        Encoding.UTF8.GetEncoder().Convert(letter.Item, new byte[bytes], flush: false, out var characters, out _, out _);
        return letter with { Item = Cut(letter.Item, characters), IsTruncated = true };
    }

    // Half a surrogate pair is no character.
    private static string Cut(string text, int length) => text[..(length > 0 && char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];

    private static byte[] Serialize(DeadLetter letter)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(letter, Readable.DeadLetter);
        Array.Resize(ref json, json.Length + 1);
        json[^1] = (byte)'\n';
        return json;
    }
}
