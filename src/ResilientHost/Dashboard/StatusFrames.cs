using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ResilientHost.Dashboard;

/// <summary>Writes server-sent events. JSON holds no line end, so that an event is two lines. Not thread-safe.</summary>
internal sealed class StatusFrames : IDisposable
{
    /// <summary>A comment: a sign of life that no client takes for an event.</summary>
    public static readonly byte[] Heartbeat = ":\n\n"u8.ToArray();

    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _json;

    public StatusFrames() => _json = new Utf8JsonWriter(_buffer);

    /// <summary>One event by itself.</summary>
    public static byte[] Of<T>(string name, T data, JsonTypeInfo<T> json) => Of(name, [data], json);

    /// <summary>Several events of one kind; at least one.</summary>
    public static byte[] Of<T>(string name, IEnumerable<T> data, JsonTypeInfo<T> json)
    {
        using var frames = new StatusFrames();
        foreach (var item in data)
        {
            frames.Add(name, item, json);
        }

        return frames.Take()!;
    }

    public void Add<T>(string name, T data, JsonTypeInfo<T> json)
    {
        _buffer.Write("event: "u8);
        _ = Encoding.UTF8.GetBytes(name, _buffer);
        _buffer.Write("\ndata: "u8);
        _json.Reset(_buffer);
        JsonSerializer.Serialize(_json, data, json);
        _json.Flush();
        _buffer.Write("\n\n"u8);
    }

    /// <summary>What was added since the last time; <see langword="null"/> for nothing.</summary>
    public byte[]? Take()
    {
        if (_buffer.WrittenCount == 0)
        {
            return null;
        }

        var frames = _buffer.WrittenSpan.ToArray();
        _buffer.ResetWrittenCount();
        return frames;
    }

    public void Dispose() => _json.Dispose();
}
