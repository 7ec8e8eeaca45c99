using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ResilientHost.Caching;

/// <summary>A value as the distributed cache has it.</summary>
/// <param name="Began">The stamp at which it began to be made.</param>
/// <param name="CreatedUtc">Ticks of the wall clock at which it was made, for its age.</param>
/// <param name="Fresh">For how long from then on it is fresh.</param>
/// <param name="IsNull">Whether it says that there is no value.</param>
/// <param name="Tags">Names of its tags.</param>
/// <param name="Payload">The serialized value.</param>
internal sealed record CacheEnvelope(long Began, long CreatedUtc, TimeSpan Fresh, bool IsNull, string[] Tags, ReadOnlyMemory<byte> Payload)
{
    // «RC», and the version of the format: another version's is no value to this one.
    private const uint Mark = 0x52_43_00_01;
    private const int HeadLength = 4 + 8 + 8 + 8 + 1 + 4;

    public byte[] ToBytes()
    {
        var bytes = new byte[HeadLength + Tags.Sum(static tag => 4 + Encoding.UTF8.GetByteCount(tag)) + Payload.Length];
        var rest = bytes.AsSpan();
        BinaryPrimitives.WriteUInt32BigEndian(rest, Mark);
        BinaryPrimitives.WriteInt64LittleEndian(rest[4..], Began);
        BinaryPrimitives.WriteInt64LittleEndian(rest[12..], CreatedUtc);
        BinaryPrimitives.WriteInt64LittleEndian(rest[20..], Fresh.Ticks);
        rest[28] = IsNull ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(rest[29..], Tags.Length);
        rest = rest[HeadLength..];
        foreach (var tag in Tags)
        {
            var length = Encoding.UTF8.GetBytes(tag, rest[4..]);
            BinaryPrimitives.WriteInt32LittleEndian(rest, length);
            rest = rest[(4 + length)..];
        }

        Payload.Span.CopyTo(rest);
        return bytes;
    }

    /// <summary>Reads what may be anything: another version's, another program's, a part.</summary>
    public static bool TryRead(byte[] bytes, [NotNullWhen(true)] out CacheEnvelope? envelope)
    {
        envelope = null;
        if (bytes.Length < HeadLength || BinaryPrimitives.ReadUInt32BigEndian(bytes) != Mark)
        {
            return false;
        }

        var head = bytes.AsSpan();
        var created = BinaryPrimitives.ReadInt64LittleEndian(head[12..]);
        var fresh = BinaryPrimitives.ReadInt64LittleEndian(head[20..]);
        var tags = BinaryPrimitives.ReadInt32LittleEndian(head[29..]);
        if (created < 0 || created > DateTime.MaxValue.Ticks || fresh < 0 || fresh > CachePolicy.MaxExpiration.Ticks || head[28] > 1 || tags < 0 || tags > (bytes.Length - HeadLength) / 4)
        {
            return false;
        }

        var at = HeadLength;
        var names = new string[tags];
        for (var i = 0; i < tags; i++)
        {
            if (bytes.Length - at < 4)
            {
                return false;
            }

            var length = BinaryPrimitives.ReadInt32LittleEndian(head[at..]);
            at += 4;
            if (length < 0 || length > bytes.Length - at)
            {
                return false;
            }

            names[i] = Encoding.UTF8.GetString(head.Slice(at, length));
            at += length;
        }

        envelope = new(BinaryPrimitives.ReadInt64LittleEndian(head[4..]), created, new TimeSpan(fresh), head[28] == 1, names, bytes.AsMemory(at));
        return true;
    }
}
