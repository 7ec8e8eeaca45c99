using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Caching.Distributed;
using ResilientHost.Hosting;

namespace ResilientHost.Caching;

/// <summary>The distributed cache behind one cache, so guarded that no failure of it is one of a read: a timeout, a circuit, and what it missed is not believed afterwards.</summary>
/// <remarks>Thread-safe; no member throws, but for a caller's own cancellation.</remarks>
internal sealed class DistributedTier
{
    /// <summary>Most keys that are remembered because the distributed cache missed a write of theirs; beyond it, nothing older than that write is believed.</summary>
    public const int MaxDistrusted = 10_000;

    private readonly ConcurrentDictionary<string, long> _distrusted = new(StringComparer.Ordinal);
    private readonly IDistributedCache _cache;
    private readonly MonotonicClock _clock;
    private readonly CacheLog _log;
    private readonly CircuitBreaker _breaker;
    private readonly string _values;
    private readonly string _markers;
    private readonly string _name;
    private long _distrustedAll;

    public DistributedTier(IDistributedCache cache, string name, MonotonicClock clock, CacheLog log)
    {
        (_cache, _clock, _log, _name) = (cache, clock, log, name);
        var prefix = $"resilience:{name.ToLowerInvariant()}:";
        (_values, _markers) = ($"{prefix}value:", $"{prefix}tag:");
        _breaker = new CircuitBreaker(
            $"cache:{name}",
            new CircuitBreakerOptions { FailureRatio = 0.5, MinimumThroughput = 10, ConsecutiveFailures = 5, SamplingDuration = TimeSpan.FromSeconds(10), HalfOpenProbes = 1 },
            clock.Provider);
        _breaker.Transitioned += transition => _log.DistributedCircuit(_name, transition);
    }

    /// <summary>Whether a key can be told from all others once it is encoded: a lone surrogate cannot.</summary>
    public static bool CanKeep(string key)
    {
        for (var rest = key.AsSpan(); rest.Length > 0;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var read) != System.Buffers.OperationStatus.Done)
            {
                return false;
            }

            rest = rest[read..];
        }

        return true;
    }

    /// <returns>What there is; <see langword="null"/> when there is nothing, or it cannot be known.</returns>
    public async Task<CacheEnvelope?> ReadAsync(string key, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var (isDone, bytes) = await GuardAsync(token => _cache.GetAsync(_values + key, token), timeout, cancellationToken);
        if (!isDone || bytes is null)
        {
            return null;
        }

        if (!CacheEnvelope.TryRead(bytes, out var envelope))
        {
            _log.Unreadable(_name, null);
            return null;
        }

        return envelope.Began > Volatile.Read(ref _distrustedAll) && (!_distrusted.TryGetValue(key, out var since) || envelope.Began > since) ? envelope : null;
    }

    /// <param name="key">The key.</param>
    /// <param name="envelope">What to keep; <see langword="null"/>: nothing.</param>
    /// <param name="lifetime">For how long.</param>
    /// <param name="timeout">How long that may take.</param>
    /// <param name="stamp">If it fails, what began up to here is not believed any more; <see langword="null"/>: it stays as good as it was.</param>
    public async Task WriteAsync(string key, CacheEnvelope? envelope, TimeSpan lifetime, TimeSpan timeout, long? stamp)
    {
        var (isDone, _) = await GuardAsync(
            async token =>
            {
                await (envelope is null
                    ? _cache.RemoveAsync(_values + key, token)
                    : _cache.SetAsync(_values + key, envelope.ToBytes(), new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = lifetime }, token));
                return true;
            },
            timeout,
            CancellationToken.None);
        if (isDone)
        {
            _distrusted.TryRemove(key, out _);
        }
        else if (stamp is { } since)
        {
            Distrust(key, since);
        }
    }

    /// <summary>Believes nothing of all that began up to here.</summary>
    public void DistrustAll(long stamp) => CacheStamps.AtLeast(ref _distrustedAll, stamp);

    /// <returns>Whether it is known, and the stamp; 0: the tag was never invalidated.</returns>
    public async Task<(bool IsKnown, long Stamp)> ReadMarkerAsync(string tag, TimeSpan timeout)
    {
        var (isDone, bytes) = await GuardAsync(token => _cache.GetAsync(_markers + tag, token), timeout, CancellationToken.None);
        return (isDone, bytes is { Length: 8 } ? BitConverter.ToInt64(bytes) : 0);
    }

    public async Task<bool> WriteMarkerAsync(string tag, long stamp, TimeSpan lifetime, TimeSpan timeout)
    {
        var (isDone, _) = await GuardAsync(
            async token =>
            {
                await _cache.SetAsync(_markers + tag, BitConverter.GetBytes(stamp), new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = lifetime }, token);
                return true;
            },
            timeout,
            CancellationToken.None);
        return isDone;
    }

    private void Distrust(string key, long stamp)
    {
        if (_distrusted.Count >= MaxDistrusted)
        {
            DistrustAll(stamp);
            _distrusted.Clear();
            return;
        }

        _distrusted.AddOrUpdate(key, stamp, (_, known) => Math.Max(known, stamp));
    }

    private async Task<(bool IsDone, T? Result)> GuardAsync<T>(Func<CancellationToken, Task<T>> call, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (!_breaker.TryEnter(out var permit, out _))
        {
            return default;
        }

        var outcome = CallOutcome.Failed;
        using var timer = new CancellationTokenSource(timeout, _clock.Provider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        Task<T>? task = null;
        try
        {
            // Some clients heed no token: the wait ends all the same.
            task = call(either.Token);
            var result = await task.WaitAsync(either.Token);
            outcome = CallOutcome.Succeeded;
            return (true, result);
        }
        catch (Exception exception)
        {
            task?.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            if (cancellationToken.IsCancellationRequested)
            {
                outcome = CallOutcome.Ignored;
                throw new OperationCanceledException(cancellationToken);
            }

            _log.DistributedFailed(_name, timer.IsCancellationRequested ? new TimeoutException($"The distributed cache did not answer within {timeout.TotalSeconds:0.###} s.", exception) : exception);
            return default;
        }
        finally
        {
            _breaker.Exit(permit, outcome);
        }
    }
}
