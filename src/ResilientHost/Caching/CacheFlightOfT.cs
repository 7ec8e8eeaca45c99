using System.Globalization;
using Microsoft.Extensions.Caching.Hybrid;
using Polly.Timeout;
using ResilientHost.Propagation;

namespace ResilientHost.Caching;

/// <summary>As <see cref="CacheFlight"/>, of one type.</summary>
/// <remarks>
/// Ends once, under the shard's gate, by whichever comes first: a value, a failure, the hard timeout, or that the last one who waited has left. A value that comes after that is thrown away;
/// of one that was superseded meanwhile, those who came before get it and nobody else.
/// </remarks>
internal abstract class CacheFlight<T> : CacheFlight
{
    private readonly TaskCompletionSource<CacheAnswer<T>> _first = NewAnswer();
    private readonly CancellationTokenSource _cancellation = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken.None);
    private TaskCompletionSource<CacheAnswer<T>>? _final;
    private CacheEntry<T>? _stale;
    private ITimer? _soft;
    private ITimer? _hard;
    private int _waiters;
    private bool _isDone;
    private bool _isAbandoned;

    /// <summary>What there is to give out if it fails.</summary>
    public required CacheEntry<T>? Stale
    {
        init => _stale = value;
    }

    private CacheShard Shard => Core.ShardOf(Key);

    private bool WritesLocal => Keeps && !Has(HybridCacheEntryFlags.DisableLocalCacheWrite);

    private bool ReadsDistributed => Keeps && Core.Distributed is not null && !Has(HybridCacheEntryFlags.DisableDistributedCacheRead) && DistributedTier.CanKeep(Key);

    private bool WritesDistributed => Keeps && Core.Distributed is not null && !Has(HybridCacheEntryFlags.DisableDistributedCacheWrite) && DistributedTier.CanKeep(Key);

    /// <summary>Adds one who waits, under the shard's gate.</summary>
    public Task<CacheAnswer<T>> Join(long now)
    {
        _waiters++;

        // The first answer was a stale value. Who comes when that is too old waits for what follows.
        return _final is not null && _stale?.IsUsable(now, Policy.StaleTicks) is not true ? _final.Task : _first.Task;
    }

    /// <summary>One who waited has its answer, or has given up.</summary>
    public void Leave()
    {
        lock (Shard.Gate)
        {
            if (--_waiters > 0 || _isDone || IsBackground || _final is not null)
            {
                return;
            }
        }

        Abandon();
    }

    // Unless someone came after all.
    public override void Abandon()
    {
        lock (Shard.Gate)
        {
            if (_isDone || _waiters > 0)
            {
                return;
            }

            _isDone = _isAbandoned = true;
            Shard.Unlink(this);
        }

        _stale?.EndRefresh(long.MinValue);
        Cancel();
        _first.TrySetCanceled(CancellationToken.None);
        _final?.TrySetCanceled(CancellationToken.None);
    }

    /// <summary>Takes off, on a thread of its own: a factory that blocks must hold up nobody beyond what he is willing to wait.</summary>
    public void Start() => _ = Task.Run(RunAsync);

    protected abstract ValueTask<T> InvokeAsync(CancellationToken cancellationToken);

    private static TaskCompletionSource<CacheAnswer<T>> NewAnswer() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        Current = this;
        if (IsBackground)
        {
            // The request that brought it about does not wait for it: neither its deadline nor its criticality bounds it.
            InboundCall.Current = null;
        }

        var hasPlace = false;
        try
        {
            ArmSoft();
            if (ReadsDistributed && await TryDistributedAsync())
            {
                return;
            }

            ArmSoft();
            if (Policy.HardTimeout is { } hard)
            {
                _hard = Core.Clock.Provider.CreateTimer(static state => ((CacheFlight<T>)state!).OnHard(), this, hard, Timeout.InfiniteTimeSpan);
            }

            // A factory that asks for another key has a place already; waiting for a second one, it could wait for itself.
            if (Parent is null && Policy.MaxConcurrentFactories is { } limit)
            {
                await Core.Gate.EnterAsync(limit, _cancellation.Token);
                hasPlace = true;
            }

            await SucceedAsync(await RunFactoryAsync());
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
        finally
        {
            if (hasPlace)
            {
                Core.Gate.Exit(Core.Policy.MaxConcurrentFactories);
            }

            DisposeTimers();
            _cancellation.Dispose();
        }
    }

    private async Task<T> RunFactoryAsync()
    {
        var activity = CacheSpan.Start(Core.Name, IsBackground);
        var started = Core.Clock.Timestamp();
        var outcome = CallOutcome.Failed;
        Exception? error = null;
        try
        {
            var value = await InvokeAsync(_cancellation.Token);
            outcome = CallOutcome.Succeeded;
            return value;
        }
        catch (Exception exception)
        {
            error = exception;
            if (_isAbandoned && exception is OperationCanceledException)
            {
                outcome = CallOutcome.Ignored;
            }

            throw;
        }
        finally
        {
            CacheSpan.End(activity, outcome, error);
            Core.Metrics.FactoryEnded(Core.Name, outcome, Core.Clock.Elapsed(started, Core.Clock.Timestamp()));
        }
    }

    private async Task<bool> TryDistributedAsync()
    {
        if (Core.Tags.HasHeld)
        {
            Core.LearnSoon([], Core.Clock.CoarseTimestamp());
        }

        var envelope = await Core.Distributed!.ReadAsync(Key, Policy.DistributedTimeout, _cancellation.Token);
        if (envelope is null || !Core.Stamps.Observe(envelope.Began))
        {
            return false;
        }

        var tags = Core.Tags.Get(envelope.Tags);
        if (!await Core.LearnAsync(tags) || !Core.Tags.AreValid(tags, envelope.Began) || Decode(envelope, tags, out var original, out var lifetime) is not { } entry)
        {
            return false;
        }

        var now = Core.Clock.CoarseTimestamp();
        var isOlder = _stale?.Began >= entry.Began;
        if (!entry.IsFresh(now) || (IsBackground && isOlder))
        {
            if (!isOlder && entry.IsUsable(now, Policy.StaleTicks))
            {
                Keep(entry, lifetime, now);
                _stale = entry;
            }

            return false;
        }

        lock (Shard.Gate)
        {
            if (_isDone)
            {
                return true;
            }

            Keep(entry, lifetime, now);
            _isDone = true;
            Shard.Unlink(this);
        }

        Answer(new CacheAnswer<T>(entry.IsNull ? CacheRead.NegativeHit : CacheRead.DistributedHit, entry, original, hasOriginal: true));
        return true;
    }

    // What was written here meanwhile is newer than what the distributed cache had, which may not have seen that write yet.
    private void Keep(CacheEntry<T> entry, TimeSpan lifetime, long now)
    {
        lock (Shard.Gate)
        {
            if (IsLinked && WritesLocal && !(Core.Memory.TryGet(Key, out var found) && found is CacheEntry kept && kept.Began > entry.Began && kept.IsFresh(now)))
            {
                Core.Memory.Set(Key, entry, lifetime);
            }
        }
    }

    private CacheEntry<T>? Decode(CacheEnvelope envelope, CacheTag[] tags, out T? original, out TimeSpan lifetime)
    {
        original = default;
        lifetime = default;
        var clock = Core.Clock;
        var codec = Core.Codecs.For<T>();
        try
        {
            original = envelope.IsNull ? default : codec.Deserialize(envelope.Payload);
        }
        catch (Exception exception)
        {
            Core.Log.Unreadable(Core.Name, exception);
            return null;
        }

        if (envelope.IsNull != original is null)
        {
            return null;
        }

        var age = TimeSpan.FromTicks(Math.Max(0, clock.UtcNow.UtcTicks - envelope.CreatedUtc));
        var left = envelope.Fresh - age;
        lifetime = left + (envelope.IsNull ? TimeSpan.Zero : Policy.StaleFor);
        if (lifetime <= TimeSpan.Zero)
        {
            return null;
        }

        var now = clock.CoarseTimestamp();
        return new CacheEntry<T>(codec, original, envelope.Payload.ToArray())
        {
            Began = envelope.Began,
            CreatedAt = now - clock.ToTimestampTicks(age),
            FreshUntil = left > TimeSpan.Zero ? now + clock.ToTimestampTicks(left) : now - clock.ToTimestampTicks(-left),
            LocalFreshUntil = left > TimeSpan.Zero ? now + clock.ToTimestampTicks(Policy.LocalFreshness(Options, left, Core.Jitter())) : now,
            Tags = tags,
        };
    }

    private async Task SucceedAsync(T value)
    {
        MadeValue<T> made = default;
        if (Keeps)
        {
            try
            {
                made = Core.Make(value, Began, Tags, Options, Policy, WritesDistributed);
            }
            catch (Exception exception)
            {
                Core.Log.NotKept(Core.Name, exception);
            }
        }

        var write = Task.CompletedTask;
        lock (Shard.Gate)
        {
            if (_isDone)
            {
                return;
            }

            if (IsLinked && Keeps && Core.Tags.AreValid(Tags, Began))
            {
                write = Store(made);
            }

            _isDone = true;
            Shard.Unlink(this);
        }

        DisposeTimers();
        _stale?.EndRefresh(long.MinValue);
        await write;

        Answer(new CacheAnswer<T>(CacheRead.Miss, made.Entry, value, hasOriginal: true));
    }

    // Under the shard's gate.
    private Task Store(MadeValue<T> made)
    {
        if (WritesLocal)
        {
            if (made.Entry is null)
            {
                // What was kept before is not what the factory says now.
                Core.Memory.Remove(Key);
            }
            else
            {
                Core.Memory.Set(Key, made.Entry, made.Lifetime);
            }
        }

        return WritesDistributed
            ? Shard.Enqueue(Key, () => Core.Distributed!.WriteAsync(Key, made.Envelope, made.Lifetime, Policy.DistributedTimeout, stamp: null))
            : Task.CompletedTask;
    }

    private void Fail(Exception exception)
    {
        bool isCurrent;
        lock (Shard.Gate)
        {
            if (_isDone)
            {
                return;
            }

            isCurrent = IsLinked;
            _isDone = true;
            Shard.Unlink(this);
        }

        DisposeTimers();
        var now = Core.Clock.CoarseTimestamp();
        _stale?.EndRefresh(now + Policy.FailureDelayTicks);

        // What was removed or written meanwhile is known to be wrong: better no value than that one.
        if (isCurrent && CanGiveStale(now))
        {
            Core.Log.FactoryFailed(Core.Name, exception);
            Answer(new CacheAnswer<T>(CacheRead.Stale, _stale, original: default, hasOriginal: false));
            return;
        }

        if (IsBackground)
        {
            Core.Log.FactoryFailed(Core.Name, exception);
        }

        foreach (var answer in new[] { _first, _final })
        {
            if (answer?.TrySetException(exception) == true)
            {
                // There may be nobody left to see it.
                _ = answer.Task.Exception;
            }
        }
    }

    private bool CanGiveStale(long now) => _stale is { } stale && stale.IsUsable(now, Policy.StaleTicks) && Core.Tags.AreValid(stale.Tags, stale.Began);

    private void Answer(CacheAnswer<T> answer)
    {
        _first.TrySetResult(answer);
        _final?.TrySetResult(answer);
    }

    private void ArmSoft()
    {
        if (_soft is null && _stale is not null && Policy.SoftTimeout is { } soft)
        {
            _soft = Core.Clock.Provider.CreateTimer(static state => ((CacheFlight<T>)state!).OnSoft(), this, soft, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnSoft()
    {
        lock (Shard.Gate)
        {
            if (_isDone || !IsLinked || !CanGiveStale(Core.Clock.CoarseTimestamp()))
            {
                return;
            }

            _final = NewAnswer();
            _stale!.LeaveAlone();
        }

        _first.TrySetResult(new CacheAnswer<T>(CacheRead.Stale, _stale, original: default, hasOriginal: false));
    }

    private void OnHard()
    {
        var hard = Policy.HardTimeout ?? Timeout.InfiniteTimeSpan;
        Fail(new TimeoutRejectedException(
            string.Create(CultureInfo.InvariantCulture, $"The factory of a key of cache '{Core.Name}' did not end within {hard.TotalSeconds:0.###} s."),
            hard));
        Cancel();
    }

    private void Cancel()
    {
        try
        {
            // Callbacks of the token are the factory's own, and run on its threads.
            _ = _cancellation.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by now.
        }
    }

    private void DisposeTimers()
    {
        _soft?.Dispose();
        _hard?.Dispose();
    }
}

/// <summary>As <see cref="CacheFlight{T}"/>, with the factory of the reader that came first.</summary>
internal sealed class CacheFlight<TState, T>(TState state, Func<TState, CancellationToken, ValueTask<T>> factory) : CacheFlight<T>
{
    protected override ValueTask<T> InvokeAsync(CancellationToken cancellationToken) => factory(state, cancellationToken);
}
