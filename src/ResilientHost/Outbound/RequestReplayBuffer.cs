namespace ResilientHost.Outbound;

/// <summary>Takes a body in: up to its limit it keeps it; what goes beyond waits until there is somewhere to go.</summary>
/// <remarks>One writer and one reader; thread-safe between the two.</remarks>
internal sealed class RequestReplayBuffer(int limit) : Stream
{
    private readonly TaskCompletionSource _parked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Stream> _target = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _kept = [];
    private int _length;

    /// <summary>Completes when there is more than can be kept, and the writer waits.</summary>
    public Task Parked => _parked.Task;

    /// <summary>Whether what came was within the limit.</summary>
    public bool IsWhole => _length <= limit;

    /// <summary>What came; to be read when the writer is done or waits.</summary>
    public ReadOnlyMemory<byte> Kept => _kept.AsMemory(0, _length);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Nobody will send the rest: whoever still writes it ends. Does nothing once it goes somewhere.</summary>
    public void Abandon() => _target.TrySetCanceled();

    /// <summary>Sends what was kept, and lets the writer go on there.</summary>
    public async Task SendToAsync(Stream target, CancellationToken cancellationToken)
    {
        await target.WriteAsync(Kept, cancellationToken);
        if (!_target.TrySetResult(target))
        {
            throw new OperationCanceledException("The body of this request is not wanted any more.");
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!CanKeep(buffer.Length))
        {
            return PassOnAsync(buffer, cancellationToken);
        }

        Keep(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    // Whoever writes without awaiting waits here, on a thread that is there for it; see RequestReplayReader.
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (CanKeep(buffer.Length))
        {
            Keep(buffer);
            return;
        }

        _parked.TrySetResult();
        _target.Task.GetAwaiter().GetResult().Write(buffer);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) =>
        _target.Task.IsCompletedSuccessfully ? _target.Task.Result.FlushAsync(cancellationToken) : Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private bool CanKeep(int bytes) => _length + (long)bytes <= limit && !_parked.Task.IsCompleted;

    private async ValueTask PassOnAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        _parked.TrySetResult();
        var target = await _target.Task.WaitAsync(cancellationToken);
        await target.WriteAsync(buffer, cancellationToken);
    }

    private void Keep(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length > _kept.Length - _length)
        {
            Array.Resize(ref _kept, Math.Max(_length + buffer.Length, _kept.Length * 2));
        }

        buffer.CopyTo(_kept.AsSpan(_length));
        _length += buffer.Length;
    }
}
