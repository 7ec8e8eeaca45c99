using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;

namespace ResilientHost.Fallbacks;

/// <summary>The host's kept responses, behind which the store may throw or hang as it likes: no request fails or waits for it longer than its fallback may.</summary>
/// <remarks>Thread-safe; a singleton. Our own store is written at once; one of someone else's off the request's path, by <see cref="StaleWriteQueue"/>.</remarks>
internal sealed partial class StaleResponses : IDisposable
{
    /// <summary>Reads that a store has not ended although their time is up; with so many it is not asked again until one ends.</summary>
    public const int MaxAbandonedReads = 64;

    // Clocks of replicas differ a little. What was kept further in the future than this was kept by a clock that is wrong.
    private static readonly TimeSpan MaxSkew = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    private readonly IStaleResponseStore _store;
    private readonly MemoryStaleResponseStore? _memory;
    private readonly StaleWriteQueue? _writes;
    private readonly Func<int> _maxResponseBytes;
    private readonly ILogger _logger;
    private readonly Quota _readFailures;
    private readonly Quota _writeFailures;
    private int _abandonedReads;

    /// <param name="store">Where they are kept.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Is told of the store's failures.</param>
    /// <param name="maxResponseBytes">The largest body that is kept, at this moment.</param>
    public StaleResponses(IStaleResponseStore store, MonotonicClock clock, ILogger<StaleResponses> logger, Func<int> maxResponseBytes)
    {
        _store = store;
        _memory = store as MemoryStaleResponseStore;
        _writes = _memory is null ? new StaleWriteQueue(store, clock, WriteFailed) : null;
        _maxResponseBytes = maxResponseBytes;
        _logger = logger;
        _readFailures = new Quota(clock);
        _writeFailures = new Quota(clock);
        Clock = clock;
    }

    public MonotonicClock Clock { get; }

    /// <summary>The largest body that is kept, in bytes.</summary>
    public int MaxResponseBytes => _maxResponseBytes();

    /// <summary>Responses that were not kept because the store is too slow or failed.</summary>
    public long LostWrites => _writes?.Lost ?? 0;

    /// <summary>The store is our own: it neither waits nor hangs.</summary>
    public bool AnswersAtOnce => _memory is not null;

    /// <summary>The response under a key, if it is no older than it may be. Never throws.</summary>
    public ValueTask<StaleAnswer?> GetAsync(string key, TimeSpan maxAge, HttpContext context, CancellationToken cancellationToken) =>
        _memory is null ? ReadAsync(key, maxAge, context, cancellationToken) : new(GetKept(key, maxAge));

    /// <summary>As above, where the store <see cref="AnswersAtOnce"/>.</summary>
    public StaleAnswer? GetKept(string key, TimeSpan maxAge) => _memory!.TryGet(key, out var kept) && kept.Age <= maxAge ? kept : null;

    /// <summary>Keeps a response. Never throws and never waits.</summary>
    public void Set(string key, StaleResponse response, TimeSpan maxAge)
    {
        if (_memory is not null)
        {
            _memory.Set(key, response, maxAge);
        }
        else
        {
            _writes!.Add(key, response, maxAge);
        }
    }

    public void Dispose() => _writes?.Dispose();

    private TimeSpan? AgeOf(StaleResponse response)
    {
        var age = Clock.UtcNow - response.StoredAt;
        return age < -MaxSkew ? null : age < TimeSpan.Zero ? TimeSpan.Zero : age;
    }

    private async ValueTask<StaleAnswer?> ReadAsync(string key, TimeSpan maxAge, HttpContext context, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _abandonedReads) >= MaxAbandonedReads)
        {
            ReadFailed("too many reads hang", exception: null);
            return null;
        }

        Task<StaleResponse?>? read = null;
        try
        {
            // On another thread, for a store may block as well as hang.
            read = Task.Run(() => _store.GetAsync(key, cancellationToken).AsTask(), cancellationToken);
            return await read.WaitAsync(cancellationToken) is { } response && AgeOf(response) is { } age && age <= maxAge ? new StaleAnswer(response, age) : null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Abandon(read!);
            if (!context.RequestAborted.IsCancellationRequested)
            {
                ReadFailed("timeout", exception: null);
            }

            return null;
        }
        catch (Exception exception)
        {
            ReadFailed("exception", exception);
            return null;
        }
    }

    private void Abandon(Task read)
    {
        Interlocked.Increment(ref _abandonedReads);
        _ = read.ContinueWith(
            static (ended, responses) =>
            {
                // Looked at, so that it is nobody's unobserved exception.
                _ = ended.Exception;
                Interlocked.Decrement(ref ((StaleResponses)responses!)._abandonedReads);
            },
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void ReadFailed(string reason, Exception? exception)
    {
        if (_readFailures.TryTake(out var more))
        {
            Try(() => LogReadFailed(_logger, _store.GetType().Name, reason, more, exception));
        }
    }

    private void WriteFailed(string reason, Exception? exception)
    {
        if (_writeFailures.TryTake(out var more))
        {
            Try(() => LogWriteFailed(_logger, _store.GetType().Name, reason, more, exception));
        }
    }

    private static void Try(Action log)
    {
        try
        {
            log();
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the request.
        }
    }

    /// <summary>One line per interval, and how many were left out before it.</summary>
    private sealed class Quota(MonotonicClock clock)
    {
        private readonly long _interval = clock.ToTimestampTicks(LogInterval);
        private long _next = long.MinValue;
        private long _more;

        public bool TryTake(out long more)
        {
            var next = Volatile.Read(ref _next);
            var now = clock.Timestamp();
            if (now < next || Interlocked.CompareExchange(ref _next, now + _interval, next) != next)
            {
                Interlocked.Increment(ref _more);
                more = 0;
                return false;
            }

            more = Interlocked.Exchange(ref _more, 0);
            return true;
        }
    }
}
