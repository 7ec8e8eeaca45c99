using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ResilientHost.Caching;

/// <summary>Finds how values of a type are kept: the application's serializers, else text and bytes as they are, else JSON. Thread-safe.</summary>
internal sealed class CacheCodecs(IServiceProvider services)
{
    private readonly ConcurrentDictionary<Type, object> _codecs = new();

    // Tuples have fields only: without them their JSON is empty, and all that comes back is zeros.
    private readonly JsonSerializerOptions _json = new((services.GetService<IOptions<JsonOptions>>()?.Value ?? new JsonOptions()).SerializerOptions) { IncludeFields = true };

    public CacheCodec<T> For<T>() =>
        (CacheCodec<T>)(_codecs.TryGetValue(typeof(T), out var known) ? known : _codecs.GetOrAdd(typeof(T), new CacheCodec<T>(SerializerOf<T>())));

    private IHybridCacheSerializer<T> SerializerOf<T>()
    {
        if (services.GetService<IHybridCacheSerializer<T>>() is { } registered)
        {
            return registered;
        }

        // The one that was registered last has the first say, as everywhere in the container.
        foreach (var factory in services.GetServices<IHybridCacheSerializerFactory>().Reverse())
        {
            if (factory.TryCreateSerializer<T>(out var made))
            {
                return made;
            }
        }

        return TextSerializer.Instance as IHybridCacheSerializer<T> ?? BytesSerializer.Instance as IHybridCacheSerializer<T> ?? new JsonCacheSerializer<T>(_json);
    }

    private sealed class TextSerializer : IHybridCacheSerializer<string>
    {
        // A lone surrogate would come back as another character: better not kept than changed.
        private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

        public static TextSerializer Instance { get; } = new();

        public string Deserialize(ReadOnlySequence<byte> source) => Strict.GetString(source);

        public void Serialize(string value, IBufferWriter<byte> target) => Strict.GetBytes(value, target);
    }

    private sealed class BytesSerializer : IHybridCacheSerializer<byte[]>
    {
        public static BytesSerializer Instance { get; } = new();

        public byte[] Deserialize(ReadOnlySequence<byte> source) => source.ToArray();

        public void Serialize(byte[] value, IBufferWriter<byte> target) => target.Write(value);
    }

    private sealed class JsonCacheSerializer<T>(JsonSerializerOptions options) : IHybridCacheSerializer<T>
    {
        public T Deserialize(ReadOnlySequence<byte> source)
        {
            var reader = new Utf8JsonReader(source);
            return JsonSerializer.Deserialize(ref reader, TypeInfo())!;
        }

        public void Serialize(T value, IBufferWriter<byte> target)
        {
            using var writer = new Utf8JsonWriter(target);
            JsonSerializer.Serialize(writer, value, TypeInfo());
        }

        private JsonTypeInfo<T> TypeInfo() => (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
    }
}
