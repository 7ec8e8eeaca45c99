namespace ResilientHost.Outbound;

/// <summary>A response's body as its reader gets it: what breaks off or comes too slowly is told, once, to whoever guards it.</summary>
/// <remarks>Not thread-safe, as streams are. Bytes that are there already pass without a timer, a token of its own or an allocation.</remarks>
/// <param name="inner">The transport's stream; owned.</param>
/// <param name="faults">Told of the body's failure.</param>
/// <param name="watch">Gives up slow reads; <see langword="null"/>: any pace will do. Owned.</param>
internal sealed class ResponseBodyStream(Stream inner, ResponseBodyFaults faults, ResponseBodyWatch? watch) : Stream
{
    private bool _disposed;

    public override bool CanRead => !_disposed && inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    private bool IsTooSlow => watch is { TooSlow: true } && !_disposed;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        if (IsTooSlow)
        {
            return ValueTask.FromException<int>(TooSlow(null));
        }

        ValueTask<int> read;
        try
        {
            read = inner.ReadAsync(buffer, watch?.Token ?? cancellationToken);
        }
        catch (Exception exception)
        {
            Note(exception, cancellationToken);
            throw;
        }

        if (!read.IsCompletedSuccessfully)
        {
            return WaitAsync(read, cancellationToken);
        }

        var bytes = read.Result;
        watch?.Came(bytes);
        return new(bytes);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override int Read(Span<byte> buffer)
    {
        ThrowIfTooSlow();
        watch?.BeginWait(blocking: true);
        int bytes;
        try
        {
            bytes = inner.Read(buffer);
        }
        catch (Exception exception)
        {
            ThrowIfTooSlow(exception);
            Note(exception, CancellationToken.None);
            throw;
        }
        finally
        {
            watch?.EndWait();
        }

        watch?.Came(bytes);
        return bytes;
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            watch?.Dispose();
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    public override async ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            watch?.Dispose();
            await inner.DisposeAsync();
        }

        await base.DisposeAsync();
    }

    private async ValueTask<int> WaitAsync(ValueTask<int> read, CancellationToken cancellationToken)
    {
        watch?.BeginWait(blocking: false);
        int bytes;
        try
        {
            using (watch is null ? default : cancellationToken.UnsafeRegister(static state => ((ResponseBodyWatch)state!).Cancel(), watch))
            {
                bytes = await read;
            }

            if (cancellationToken.IsCancellationRequested)
            {
                // It left just as the bytes came: the next read must not end for that.
                watch?.Renew();
            }
        }
        catch (Exception exception)
        {
            ThrowIfTooSlow(exception);
            if (exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                // With the caller's own token, not the one that the transport was given.
                watch?.Renew();
                throw new OperationCanceledException(exception.Message, exception, cancellationToken);
            }

            Note(exception, cancellationToken);
            throw;
        }
        finally
        {
            watch?.EndWait();
        }

        watch?.Came(bytes);
        return bytes;
    }

    private Exception TooSlow(Exception? exception) => faults.TooSlow(exception, watch!.IsTimeUp);

    private void ThrowIfTooSlow(Exception? exception = null)
    {
        if (IsTooSlow)
        {
            throw TooSlow(exception);
        }
    }

    // A reader that left, or closed the stream beneath its own read, says nothing about the sender.
    private void Note(Exception exception, CancellationToken cancellationToken)
    {
        if (!_disposed && !cancellationToken.IsCancellationRequested && exception is IOException or HttpRequestException)
        {
            faults.BrokeOff(exception);
        }
    }
}
