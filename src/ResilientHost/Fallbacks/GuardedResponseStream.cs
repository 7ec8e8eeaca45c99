namespace ResilientHost.Fallbacks;

/// <summary>The stream of a <see cref="GuardedResponseBody"/>.</summary>
internal sealed class GuardedResponseStream(GuardedResponseBody body) : Stream
{
    public override bool CanRead => body.Original.Stream.CanRead;

    public override bool CanSeek => body.Original.Stream.CanSeek;

    public override bool CanWrite => body.Original.Stream.CanWrite;

    public override bool CanTimeout => body.Original.Stream.CanTimeout;

    public override int ReadTimeout
    {
        get => body.Original.Stream.ReadTimeout;
        set => body.Original.Stream.ReadTimeout = value;
    }

    public override int WriteTimeout
    {
        get => body.Original.Stream.WriteTimeout;
        set => body.Original.Stream.WriteTimeout = value;
    }

    public override long Length => body.IsDiverting ? 0 : body.Original.Stream.Length;

    public override long Position
    {
        get => body.IsDiverting ? 0 : body.Original.Stream.Position;
        set => Seek(value, SeekOrigin.Begin);
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        if (Shows(buffer.AsSpan(offset, count)))
        {
            body.Original.Stream.Write(buffer, offset, count);
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Shows(buffer))
        {
            body.Original.Stream.Write(buffer);
        }
    }

    public override void WriteByte(byte value)
    {
        if (Shows([value]))
        {
            body.Original.Stream.WriteByte(value);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Shows(buffer.AsSpan(offset, count))
            ? body.Original.Stream.WriteAsync(buffer, offset, count, cancellationToken)
            : Nowhere(cancellationToken);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        Shows(buffer.Span) ? body.Original.Stream.WriteAsync(buffer, cancellationToken)
        : cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(cancellationToken)
        : ValueTask.CompletedTask;

    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    public override void Flush()
    {
        if (body.Passes())
        {
            body.Original.Stream.Flush();
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) =>
        body.Passes() ? body.Original.Stream.FlushAsync(cancellationToken) : Nowhere(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => body.IsDiverting ? 0 : body.Original.Stream.Read(buffer, offset, count);

    public override int Read(Span<byte> buffer) => body.IsDiverting ? 0 : body.Original.Stream.Read(buffer);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        body.IsDiverting ? Task.FromResult(0) : body.Original.Stream.ReadAsync(buffer, offset, count, cancellationToken);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        body.IsDiverting ? new(0) : body.Original.Stream.ReadAsync(buffer, cancellationToken);

    // What a buffer of outer middleware allows: to take back, or go back in, what was written.
    public override long Seek(long offset, SeekOrigin origin)
    {
        if (body.IsDiverting)
        {
            return 0;
        }

        body.LoseSight();
        return body.Original.Stream.Seek(offset, origin);
    }

    public override void SetLength(long value)
    {
        if (!body.IsDiverting)
        {
            body.LoseSight();
            body.Original.Stream.SetLength(value);
        }
    }

    // Not the base's, which would end this stream for the next request. Before anything has passed, disposing the stream behind could only take it from who answers instead.
    public override void Close()
    {
        if (body.HasPassed)
        {
            body.Original.Stream.Close();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (body.HasPassed)
        {
            await body.Original.Stream.DisposeAsync();
        }

        await base.DisposeAsync();
    }

    private static Task Nowhere(CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : Task.CompletedTask;

    private bool Shows(ReadOnlySpan<byte> bytes)
    {
        if (!body.Passes())
        {
            body.Keep(bytes);
            return false;
        }

        body.Show(bytes);
        return true;
    }
}
