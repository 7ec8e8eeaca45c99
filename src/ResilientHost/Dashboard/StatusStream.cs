using System.IO.Pipelines;
using System.Threading.Channels;
using ResilientHost.Hosting;

namespace ResilientHost.Dashboard;

/// <summary>One page that is kept up to date: what waits to be sent to it, and the loop that sends.</summary>
/// <remarks>
/// Whoever has something to tell never waits for the page. What waits is bounded; a page that falls behind loses it and is told the whole status anew once it reads again. All pages of a view share
/// the bytes of a frame.
/// </remarks>
internal sealed class StatusStream : IDisposable
{
    /// <summary>Most batches of frames that wait for a page.</summary>
    public const int Capacity = 64;

    // What is written goes into the server's buffer as a whole before it tells to wait: a large status must not do so for each page that does not read.
    private const int ChunkBytes = 16 * 1024;

    private const long NotWriting = long.MinValue;

    private readonly Channel<byte[]> _frames = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly CancellationTokenSource _ending;
    private readonly MonotonicClock _clock;
    private readonly Lock _gate = new();
    private bool _disposed;
    private bool _missed;
    private long _writingSince = NotWriting;

    /// <param name="clock">For how long a write takes.</param>
    /// <param name="gone">The client is.</param>
    /// <param name="stopping">The host is.</param>
    public StatusStream(MonotonicClock clock, CancellationToken gone, CancellationToken stopping)
    {
        _clock = clock;
        _ending = CancellationTokenSource.CreateLinkedTokenSource(gone, stopping);
    }

    /// <summary>Hands over frames to be sent, or notes that the page has missed them.</summary>
    public void Offer(byte[] frames)
    {
        if (!_frames.Writer.TryWrite(frames))
        {
            Volatile.Write(ref _missed, true);
        }
    }

    /// <summary>Forgets what waits. For the loop that sends alone.</summary>
    public void Forget()
    {
        while (_frames.Reader.TryRead(out _))
        {
        }

        Volatile.Write(ref _missed, false);
    }

    /// <summary>How long the page has not taken what is being written.</summary>
    public TimeSpan StalledFor(long now) => Volatile.Read(ref _writingSince) is not NotWriting and var since ? _clock.Elapsed(since, now) : TimeSpan.Zero;

    /// <summary>Whether it has been ended, or its client is gone.</summary>
    public bool IsEnding => _ending.IsCancellationRequested;

    /// <summary>Ends the stream.</summary>
    public void End()
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                _ending.Cancel();
            }
        }
    }

    /// <summary>Sends until the client is gone, the host stops, or <see cref="End"/> is called.</summary>
    /// <exception cref="OperationCanceledException">Any of these, in the midst of a write.</exception>
    public async Task RunAsync(StatusView view, PipeWriter body)
    {
        var ending = _ending.Token;
        try
        {
            await WriteAsync(body, view.Join(this), ending);
            while (await WaitAsync(ending))
            {
                if (Volatile.Read(ref _missed))
                {
                    await WriteAsync(body, view.TellAnew(this), ending);
                }
                else if (_frames.Reader.TryRead(out var frames))
                {
                    await WriteAsync(body, frames, ending);
                }
            }
        }
        finally
        {
            view.Leave(this);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _ending.Dispose();
        }
    }

    private async Task<bool> WaitAsync(CancellationToken ending)
    {
        try
        {
            return await _frames.Reader.WaitToReadAsync(ending);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task WriteAsync(PipeWriter body, ReadOnlyMemory<byte> frames, CancellationToken ending)
    {
        while (!frames.IsEmpty)
        {
            var chunk = frames[..Math.Min(frames.Length, ChunkBytes)];
            frames = frames[chunk.Length..];
            Volatile.Write(ref _writingSince, _clock.Timestamp());
            var result = await body.WriteAsync(chunk, ending);
            Volatile.Write(ref _writingSince, NotWriting);
            if (result.IsCompleted)
            {
                throw new OperationCanceledException("Nobody reads any more.", ending);
            }
        }
    }
}
