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
    private readonly ConcurrentDictionary<string, int> _late = new(StringComparer.Ordinal);
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
        var (isDone, bytes, _) = await GuardAsync(token => _cache.GetAsync(_values + key, token), timeout, cancellationToken);
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

    /// <summary>Writes or removes a key. Writes of one key come one after the other.</summary>
    public async Task WriteAsync(string key, CacheWrite write)
    {
        // One that has timed out may still be under way, and land after this one.
        var mayBeOvertaken = _late.ContainsKey(key);
        var (isDone, _, underWay) = await GuardAsync(CallAsync, write.Timeout, CancellationToken.None);
        if (isDone && !mayBeOvertaken)
        {
            _distrusted.TryRemove(key, out _);
        }
        else if (isDone)
        {
            Distrust(key, write.Envelope is null ? write.Began : write.Began - 1);
        }
        else
        {
            if (write.Distrusted is { } since)
            {
                Distrust(key, since);
            }

            if (underWay is not null)
            {
                Watch(key, write.Began, underWay);
            }
        }

        async Task<bool> CallAsync(CancellationToken token)
        {
            await (write.Envelope is null
                ? _cache.RemoveAsync(_values + key, token)
                : _cache.SetAsync(_values + key, write.Envelope.ToBytes(), new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = write.Lifetime }, token));
            return true;
        }
    }

    /// <summary>Believes nothing of all that began up to here.</summary>
    public void DistrustAll(long stamp) => CacheStamps.AtLeast(ref _distrustedAll, stamp);

    /// <returns>Whether it is known, and the stamp; 0: the tag was never invalidated.</returns>
    public async Task<(bool IsKnown, long Stamp)> ReadMarkerAsync(string tag, TimeSpan timeout)
    {
        var (isDone, bytes, _) = await GuardAsync(token => _cache.GetAsync(_markers + tag, token), timeout, CancellationToken.None);
        return (isDone, bytes is { Length: 8 } ? BitConverter.ToInt64(bytes) : 0);
    }

    public async Task<bool> WriteMarkerAsync(string tag, long stamp, TimeSpan lifetime, TimeSpan timeout)
    {
        var (isDone, _, _) = await GuardAsync(
            async token =>
            {
                await _cache.SetAsync(_markers + tag, BitConverter.GetBytes(stamp), new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = lifetime }, token);
                return true;
            },
            timeout,
            CancellationToken.None);
        return isDone;
    }

    private void Watch(string key, long began, Task write)
    {
        if (_late.Count >= MaxDistrusted)
        {
            DistrustAll(began);
            return;
        }

        _late.AddOrUpdate(key, 1, static (_, count) => count + 1);
        _ = write.ContinueWith(
            _ =>
            {
                // Whether it was the last one is decided by the table, which knows of all.
                while (_late.TryGetValue(key, out var count)
                    && !(count == 1 ? _late.TryRemove(new KeyValuePair<string, int>(key, 1)) : _late.TryUpdate(key, count - 1, count)))
                {
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
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

    /// <returns>What came of it; where nothing did, the call if it goes on all the same.</returns>
    private async Task<(bool IsDone, T? Result, Task? UnderWay)> GuardAsync<T>(Func<CancellationToken, Task<T>> call, TimeSpan timeout, CancellationToken cancellationToken)
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
            // Some clients heed no token, some hold the thread that calls them: the wait ends all the same.
            var token = either.Token;
            task = Task.Run(() => call(token), CancellationToken.None);
            var result = await task.WaitAsync(either.Token);
            outcome = CallOutcome.Succeeded;
            return (true, result, null);
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
            return (false, default, task is { IsCompleted: false } ? task : null);
        }
        finally
        {
            _breaker.Exit(permit, outcome);
        }
    }
}
