using System.IO.Pipelines;

namespace ResilientHost.Fallbacks;

/// <summary>The writer of a <see cref="GuardedResponseBody"/>: memory comes from, and goes to, the writer behind it, without a copy.</summary>
internal sealed class GuardedResponseWriter(GuardedResponseBody body) : PipeWriter
{
    private const int ScratchSize = 4096;

    // What the endpoint was last given, less what it has advanced over; only while its bytes are looked at.
    private Memory<byte> _handedOut;
    private byte[]? _scratch;

    public override bool CanGetUnflushedBytes => body.Original.Writer.CanGetUnflushedBytes;

    public override long UnflushedBytes => body.IsDiverting ? 0 : body.Original.Writer.UnflushedBytes;

    // Decides nothing: memory that is not advanced over was never written, and the status may change until then.
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        var memory = body.IsDiverting ? Scratch(sizeHint) : body.Original.Writer.GetMemory(sizeHint);
        if (body.Looks)
        {
            _handedOut = memory;
        }

        return memory;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) =>
        body.Looks ? GetMemory(sizeHint).Span : Direct(sizeHint);

    public override void Advance(int bytes)
    {
        // Nothing is written by it, so it decides nothing; a negative count is for the writer behind to refuse.
        if (bytes <= 0 ? body.IsDiverting : !body.Passes())
        {
            KeepAdvanced(bytes);
            return;
        }

        if (body.IsTapped && bytes > 0)
        {
            ShowAdvanced(bytes);
        }

        body.Original.Writer.Advance(bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        body.Passes() ? body.Original.Writer.FlushAsync(cancellationToken) : Nowhere(cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (!body.Passes())
        {
            body.Keep(source.Span);
            return Nowhere(cancellationToken);
        }

        body.Show(source.Span);
        return body.Original.Writer.WriteAsync(source, cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        if (!body.IsDiverting)
        {
            body.Original.Writer.CancelPendingFlush();
        }
    }

    public override void Complete(Exception? exception = null)
    {
        if (Completes(exception))
        {
            body.Original.Writer.Complete(exception);
        }
    }

    public override ValueTask CompleteAsync(Exception? exception = null) =>
        Completes(exception) ? body.Original.Writer.CompleteAsync(exception) : ValueTask.CompletedTask;

    /// <summary>Lets go of what belongs to the request.</summary>
    public void Forget()
    {
        _handedOut = default;
        _scratch = null;
    }

    private static ValueTask<FlushResult> Nowhere(CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<FlushResult>(cancellationToken) : new(default(FlushResult));

    private Span<byte> Direct(int sizeHint) => body.Original.Writer.GetSpan(sizeHint);

    private bool Completes(Exception? exception)
    {
        if (!body.Passes())
        {
            return false;
        }

        if (exception is not null)
        {
            body.LoseSight();
        }

        return true;
    }

    private void KeepAdvanced(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _handedOut.Length);
        body.Keep(_handedOut.Span[..bytes]);
        _handedOut = _handedOut[bytes..];
    }

    private void ShowAdvanced(int bytes)
    {
        if (bytes > _handedOut.Length)
        {
            // More than was given: the writer behind refuses it, or knows of memory that we do not.
            body.LoseSight();
            return;
        }

        body.Show(_handedOut.Span[..bytes]);
        _handedOut = _handedOut[bytes..];
    }

    // Of this request alone, and given away with it: what a failed answer said must not show up in another's memory.
    private byte[] Scratch(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (_scratch is null || _scratch.Length < sizeHint)
        {
            _scratch = new byte[Math.Max(sizeHint, ScratchSize)];
        }

        return _scratch;
    }
}
