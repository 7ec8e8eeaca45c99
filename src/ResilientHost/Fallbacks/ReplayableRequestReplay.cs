namespace ResilientHost.Fallbacks;

/// <summary>A request's body from its beginning: what a <see cref="ReplayableRequestBody"/> kept, then what nobody has read yet.</summary>
internal sealed class ReplayableRequestReplay(Stream original, ReplayableRequestBuffer? kept) : Stream
{
    private int _position;
    private bool _isEnded;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Closes the body to its readers. Not by disposing, which readers do themselves.</summary>
    public void End() => Volatile.Write(ref _isEnded, true);

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override int Read(Span<byte> buffer) => TakeKept(buffer) is var count and > 0 ? count : original.Read(buffer);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        // A read of nothing asks whether there is something; while there is something kept, there is.
        if (buffer.IsEmpty && kept is not null && _position < kept.Count)
        {
            return new(0);
        }

        return TakeKept(buffer.Span) is var count and > 0 ? new(count) : original.ReadAsync(buffer, cancellationToken);
    }

    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    private int TakeKept(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isEnded), this);
        var count = kept?.CopyTo(buffer, _position) ?? 0;
        _position += count;
        return count;
    }
}
