using System.Buffers;
using System.ComponentModel;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Caching.Hybrid;

namespace ResilientHost.Caching;

/// <summary>How values of one type are kept. Immutable and thread-safe, as far as the serializer is.</summary>
internal sealed class CacheCodec<T>(IHybridCacheSerializer<T> serializer)
{
    /// <summary>
    /// Whether all readers may get the same instance: it cannot be changed. Otherwise each gets a copy of its own, for one that a reader changes would be changed for all.
    /// </summary>
    public bool IsShared { get; } =
        typeof(T) == typeof(string)
        || typeof(T) == typeof(Version)
        || !RuntimeHelpers.IsReferenceOrContainsReferences<T>()
        || ((typeof(T).IsSealed || typeof(T).IsValueType) && Attribute.GetCustomAttribute(typeof(T), typeof(ImmutableObjectAttribute)) is ImmutableObjectAttribute { Immutable: true });

    public byte[] Serialize(T value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        serializer.Serialize(value, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    public T Deserialize(ReadOnlyMemory<byte> payload) => serializer.Deserialize(new ReadOnlySequence<byte>(payload));
}
