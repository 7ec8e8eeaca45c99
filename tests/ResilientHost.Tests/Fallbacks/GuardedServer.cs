using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHost.Tests.Fallbacks;

/// <summary>One connection of a server, as the guard sees Kestrel: features, response and body are the same object, used again for every request.</summary>
internal sealed class GuardedServer : IFeatureCollection, IHttpResponseFeature, IHttpResponseBodyFeature
{
    private readonly FeatureCollection _features = new();
    private readonly Wire _wire;

    public GuardedServer()
    {
        _wire = new Wire(this);
        Writer = PipeWriter.Create(_wire, new StreamPipeWriterOptions(leaveOpen: true));
        _features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        _features.Set<IHttpResponseFeature>(this);
        _features.Set<IHttpResponseBodyFeature>(this);
        Context = new DefaultHttpContext(this);
    }

    public DefaultHttpContext Context { get; }

    public string Sent => Encoding.UTF8.GetString(_wire.ToArray());

    public int FilesSent { get; private set; }

    public int Completions { get; private set; }

    public bool IsBufferingDisabled { get; private set; }

    public Stream Stream => _wire;

    public PipeWriter Writer { get; }

    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public Stream Body { get; set; } = Stream.Null;

    public bool HasStarted { get; set; }

    public bool IsReadOnly => _features.IsReadOnly;

    public int Revision => _features.Revision;

    public object? this[Type key]
    {
        get => _features[key];
        set => _features[key] = value;
    }

    /// <summary>What a server does between two requests of a connection.</summary>
    public void NextRequest()
    {
        HasStarted = false;
        StatusCode = StatusCodes.Status200OK;
        _wire.SetLength(0);
    }

    public TFeature? Get<TFeature>() => _features.Get<TFeature>();

    public void Set<TFeature>(TFeature? instance) => _features.Set(instance);

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        HasStarted = true;
        return Task.CompletedTask;
    }

    public Task CompleteAsync()
    {
        HasStarted = true;
        Completions++;
        return Task.CompletedTask;
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        HasStarted = true;
        FilesSent++;
        return Task.CompletedTask;
    }

    public void DisableBuffering() => IsBufferingDisabled = true;

    public void OnStarting(Func<object, Task> callback, object state)
    {
    }

    public void OnCompleted(Func<object, Task> callback, object state)
    {
    }

    // Nothing: a failing assertion would print features that contain themselves until the stack ends.
    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => Enumerable.Empty<KeyValuePair<Type, object>>().GetEnumerator();

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

    private sealed class Wire(GuardedServer server) : MemoryStream
    {
        public override bool CanSeek => false;

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            server.HasStarted = true;

            // For a derived stream, the base's own overload for spans calls the one for arrays.
            base.Write(buffer.ToArray(), 0, buffer.Length);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Write(buffer.AsSpan(offset, count));
            return Task.CompletedTask;
        }

        public override void WriteByte(byte value) => Write([value]);

        public override void Flush() => server.HasStarted = true;

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            Flush();
            return Task.CompletedTask;
        }
    }
}
