using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ResilientHost.Dashboard;

/// <summary>Writes server-sent events. JSON holds no line end, so that an event is two lines. Not thread-safe.</summary>
internal sealed class StatusFrames : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _json;

    public StatusFrames() => _json = new Utf8JsonWriter(_buffer);

    /// <summary>A sign of life.</summary>
    /// <remarks>A comment for whoever stands between; pages see none of those, and get an event.</remarks>
    public static byte[] Heartbeat(DateTimeOffset at) =>
        [.. ":\n\n"u8, .. Of(StatusEventNames.Heartbeat, new StatusHeartbeat(at), StatusHeartbeatJson.Default.StatusHeartbeat)];

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

/// <param name="At">When it was sent.</param>
internal sealed record StatusHeartbeat(DateTimeOffset At);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StatusHeartbeat))]
internal sealed partial class StatusHeartbeatJson : JsonSerializerContext;
