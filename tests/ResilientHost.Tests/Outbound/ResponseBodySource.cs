using System.Threading.Channels;

namespace ResilientHost.Tests.Outbound;

/// <summary>A transport's stream that gives what a test hands it, when it does.</summary>
internal sealed class ResponseBodySource(bool heedsTokens = true) : Stream
{
    private readonly Channel<object> _items = Channel.CreateUnbounded<object>();
    private int _disposed;
    private int _reads;
    private int _rest;

    /// <summary>Whether a read that waits ends with its token.</summary>
    public bool HeedsTokens { get; set; } = heedsTokens;

    /// <summary>Reads that began.</summary>
    public int Reads => Volatile.Read(ref _reads);

    public int Disposed => Volatile.Read(ref _disposed);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Hands over bytes; what a read does not take is left to the next.</summary>
    public void Give(int bytes) => _items.Writer.TryWrite(bytes);

    public void Break(Exception exception) => _items.Writer.TryWrite(exception);

    public void End() => _items.Writer.TryWrite(0);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _reads);
        return Take(_rest > 0 ? _rest : await _items.Reader.ReadAsync(HeedsTokens ? cancellationToken : CancellationToken.None), buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        Interlocked.Increment(ref _reads);
        return Take(_rest > 0 ? _rest : _items.Reader.ReadAsync().AsTask().GetAwaiter().GetResult(), buffer.AsSpan(offset, count));
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        Interlocked.Increment(ref _disposed);
        _items.Writer.TryWrite(new IOException("The transport was closed."));
        base.Dispose(disposing);
    }

    private int Take(object item, Span<byte> buffer)
    {
        if (item is Exception exception)
        {
            throw exception;
        }

        var bytes = Math.Min((int)item, buffer.Length);
        _rest = (int)item - bytes;
        buffer[..bytes].Fill((byte)'x');
        return bytes;
    }
}
