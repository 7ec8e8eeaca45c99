using System.Threading.Channels;
using ResilientHost.Hosting;

namespace ResilientHost.Fallbacks;

/// <summary>Writes to a store that is not ours, one after another, off the request's path.</summary>
/// <remarks>
/// Thread-safe. Bounded by number and by bytes: what finds no room is lost and counted, as is what takes the store longer than <see cref="WriteTimeout"/>. A store that ignores its
/// cancellation is left alone after <see cref="MaxAbandoned"/> such writes until one of them ends.
/// </remarks>
internal sealed class StaleWriteQueue : IDisposable
{
    public const int MaxWrites = 256;
    public const long MaxBytes = 16 * 1024 * 1024;
    public const int MaxAbandoned = 4;
    public static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(5);

    private readonly Channel<Write> _writes = Channel.CreateBounded<Write>(new BoundedChannelOptions(MaxWrites) { SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private readonly IStaleResponseStore _store;
    private readonly MonotonicClock _clock;
    private readonly Action<string, Exception?> _failed;
    private long _bytes;
    private long _lost;
    private int _abandoned;
    private int _started;

    /// <param name="store">The store.</param>
    /// <param name="clock">The clock of the time limit.</param>
    /// <param name="failed">Is told why a response was lost; must not throw.</param>
    public StaleWriteQueue(IStaleResponseStore store, MonotonicClock clock, Action<string, Exception?> failed)
    {
        _store = store;
        _clock = clock;
        _failed = failed;
    }

    /// <summary>Responses that were not kept.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Queues a write, or counts it as lost.</summary>
    public void Add(string key, StaleResponse response, TimeSpan maxAge)
    {
        var write = new Write(key, response, maxAge, MemoryStaleResponseStore.SizeOf(key, response));

        // A single one may be larger than the bound; it must be alone then.
        var bytes = Interlocked.Add(ref _bytes, write.Size);
        if ((bytes > MaxBytes && bytes > write.Size) || !_writes.Writer.TryWrite(write))
        {
            Interlocked.Add(ref _bytes, -write.Size);
            Lose("too many writes wait", exception: null);
            return;
        }

        if (Volatile.Read(ref _started) == 0 && Interlocked.Exchange(ref _started, 1) == 0)
        {
            Start();
        }
    }

    public void Dispose()
    {
        _writes.Writer.TryComplete();
        _stopping.Cancel();
    }

    private void Start()
    {
        // The first request that is kept must not lend its trace to all the others.
        using var flow = ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow();
        _ = Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        await foreach (var write in _writes.Reader.ReadAllAsync(CancellationToken.None))
        {
            if (_stopping.IsCancellationRequested)
            {
                return;
            }

            await WriteAsync(write);
            Interlocked.Add(ref _bytes, -write.Size);
        }
    }

    private async Task WriteAsync(Write write)
    {
        if (Volatile.Read(ref _abandoned) >= MaxAbandoned)
        {
            Lose("earlier writes hang", exception: null);
            return;
        }

        Task? task = null;
        using var limit = new CancellationTokenSource(WriteTimeout, _clock.Provider);
        using var stop = _stopping.Token.UnsafeRegister(static limit => ((CancellationTokenSource)limit!).Cancel(), limit);
        var token = limit.Token;
        try
        {
            // On another thread, for a store may block as well as hang.
            task = Task.Run(() => _store.SetAsync(write.Key, write.Response, write.MaxAge, token).AsTask(), token);
            await task.WaitAsync(token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            Abandon(task!);
            Lose("timeout", exception: null);
        }
        catch (Exception exception)
        {
            Lose("exception", exception);
        }
    }

    private void Abandon(Task write)
    {
        Interlocked.Increment(ref _abandoned);
        _ = write.ContinueWith(
            static (ended, queue) =>
            {
                _ = ended.Exception;
                Interlocked.Decrement(ref ((StaleWriteQueue)queue!)._abandoned);
            },
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void Lose(string reason, Exception? exception)
    {
        Interlocked.Increment(ref _lost);
        if (!_stopping.IsCancellationRequested)
        {
            _failed(reason, exception);
        }
    }

    private sealed record Write(string Key, StaleResponse Response, TimeSpan MaxAge, long Size);
}
