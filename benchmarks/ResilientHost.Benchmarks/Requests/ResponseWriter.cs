using System.IO.Pipelines;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>A response body that is thrown away: one buffer, used again by each request. The first flush starts the response.</summary>
internal sealed class ResponseWriter(Action starting) : PipeWriter
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _unflushed;

    public long Written { get; private set; }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unflushed;

    public void Reset()
    {
        _unflushed = 0;
        Written = 0;
    }

    public override void Advance(int bytes) => _unflushed += bytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => _buffer.AsMemory(_unflushed);

    public override Span<byte> GetSpan(int sizeHint = 0) => _buffer.AsSpan(_unflushed);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        starting();
        Written += _unflushed;
        _unflushed = 0;
        return default;
    }

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }
}
