using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace ResilientHost.Fallbacks;

/// <summary>Kept responses as bytes, for stores outside of the process.</summary>
/// <remarks>
/// Little-endian: <c>RHS</c>, the version, 16 bytes of the SHA-256 over the key and all that follows, the time (ticks, UTC), headers, Vary, the body. A list is its count and then names with their counted
/// values; a text is its length and its UTF-16 units; a body its length and its bytes. What is not exactly this, or was written under another key, is not read: what is in a cache may be cut, old or someone else's.
/// </remarks>
internal static class StaleResponseFormat
{
    private const byte Version = 1;
    private const int HashLength = 16;
    private const int PayloadStart = 4 + HashLength;
    private const int MaxListLength = 4096;

    private static ReadOnlySpan<byte> Magic => "RHS"u8;

    public static byte[] Write(string key, StaleResponse response)
    {
        var buffer = new ArrayBufferWriter<byte>(1024 + response.Body.Length);
        buffer.Write(Magic);
        buffer.Write([Version]);
        buffer.Write(stackalloc byte[HashLength]);
        BinaryPrimitives.WriteInt64LittleEndian(buffer.GetSpan(sizeof(long)), response.StoredAt.UtcTicks);
        buffer.Advance(sizeof(long));
        WriteList(buffer, response.Headers);
        WriteList(buffer, response.Vary);
        WriteInt(buffer, response.Body.Length);
        buffer.Write(response.Body.Span);
        var bytes = buffer.WrittenSpan.ToArray();
        Hash(key, bytes.AsSpan(PayloadStart), bytes.AsSpan(4, HashLength));
        return bytes;
    }

    /// <summary>The response; <see langword="null"/> where the bytes are not one that was written under this key. Never throws.</summary>
    public static StaleResponse? Read(string key, ReadOnlyMemory<byte> bytes)
    {
        var span = bytes.Span;
        Span<byte> hash = stackalloc byte[HashLength];
        if (span.Length < PayloadStart || !span.StartsWith(Magic) || span[Magic.Length] != Version)
        {
            return null;
        }

        Hash(key, span[PayloadStart..], hash);
        if (!hash.SequenceEqual(span.Slice(4, HashLength)))
        {
            return null;
        }

        return ReadPayload(bytes[PayloadStart..]);
    }

    /// <summary>The response in the part that the hash covers. The lengths are checked once more: a hash can be computed by anyone who writes to the cache.</summary>
    internal static StaleResponse? ReadPayload(ReadOnlyMemory<byte> payload)
    {
        var reader = new Reader(payload.Span);
        if (reader.TryReadTime(out var storedAt) && reader.TryReadList(out var headers) && reader.TryReadList(out var vary) && reader.TryReadInt(out var length) && length == reader.Left)
        {
            return new StaleResponse(storedAt, headers, payload[^length..], vary);
        }

        return null;
    }

    private static void Hash(string key, ReadOnlySpan<byte> payload, Span<byte> destination)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, key.Length);
        hash.AppendData(length);
        hash.AppendData(Encoding.Unicode.GetBytes(key));
        hash.AppendData(payload);
        Span<byte> whole = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(whole);
        whole[..HashLength].CopyTo(destination);
    }

    private static void WriteList(ArrayBufferWriter<byte> buffer, IReadOnlyList<KeyValuePair<string, StringValues>> list)
    {
        WriteInt(buffer, list.Count);
        foreach (var (name, values) in list)
        {
            WriteText(buffer, name);
            WriteInt(buffer, values.Count);
            foreach (var value in values)
            {
                WriteText(buffer, value ?? "");
            }
        }
    }

    private static void WriteText(ArrayBufferWriter<byte> buffer, string text)
    {
        WriteInt(buffer, text.Length);
        foreach (var c in text)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(buffer.GetSpan(sizeof(char)), c);
            buffer.Advance(sizeof(char));
        }
    }

    private static void WriteInt(ArrayBufferWriter<byte> buffer, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(sizeof(int)), value);
        buffer.Advance(sizeof(int));
    }

    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public readonly int Left => _rest.Length;

        public bool TryReadInt(out int value)
        {
            if (!BinaryPrimitives.TryReadInt32LittleEndian(_rest, out value) || value < 0)
            {
                return false;
            }

            _rest = _rest[sizeof(int)..];
            return true;
        }

        public bool TryReadTime(out DateTimeOffset time)
        {
            time = default;
            if (!BinaryPrimitives.TryReadInt64LittleEndian(_rest, out var ticks) || ticks < DateTimeOffset.MinValue.Ticks || ticks > DateTimeOffset.MaxValue.Ticks)
            {
                return false;
            }

            time = new DateTimeOffset(ticks, TimeSpan.Zero);
            _rest = _rest[sizeof(long)..];
            return true;
        }

        public bool TryReadList(out List<KeyValuePair<string, StringValues>> list)
        {
            // The room is made as the entries come: a count that lies takes no memory.
            list = [];
            if (!TryReadInt(out var count) || count > MaxListLength)
            {
                return false;
            }

            for (var i = 0; i < count; i++)
            {
                if (!TryReadText(out var name) || !IsName(name) || !TryReadInt(out var values) || values > MaxListLength)
                {
                    return false;
                }

                var texts = new List<string>();
                for (var j = 0; j < values; j++)
                {
                    if (!TryReadText(out var value) || value.AsSpan().ContainsAny('\r', '\n', '\0'))
                    {
                        return false;
                    }

                    texts.Add(value);
                }

                list.Add(KeyValuePair.Create(name, new StringValues([.. texts])));
            }

            return true;
        }

        private bool TryReadText(out string text)
        {
            text = "";
            if (!TryReadInt(out var length) || length > _rest.Length / sizeof(char))
            {
                return false;
            }

            var units = new char[length];
            for (var i = 0; i < length; i++)
            {
                units[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(_rest[(i * sizeof(char))..]);
            }

            text = new string(units);
            _rest = _rest[(length * sizeof(char))..];
            return true;
        }

        private static bool IsName(string name) =>
            name.Length > 0 && name.All(static c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c));
    }
}
