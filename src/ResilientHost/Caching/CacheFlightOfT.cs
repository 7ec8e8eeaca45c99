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
internal abstract partial class CacheFlight<T> : CacheFlight
{
    private readonly TaskCompletionSource<CacheAnswer<T>> _first = NewAnswer();
    private readonly TaskCompletionSource _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _place = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Not new(): the analyzer would ask for IDisposable, while the flight itself disposes of it when it has ended.
    private readonly CancellationTokenSource _cancellation = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken.None);
    private readonly CacheEntry<T>? _original;
    private TaskCompletionSource<CacheAnswer<T>>? _final;
    private CacheEntry<T>? _stale;
    private InboundCall? _inbound;
    private ITimer? _soft;
    private ITimer? _hard;
    private int _waiters;
    private bool _isDone;
    private volatile bool _isAbandoned;
    private volatile bool _isWantedInside;

    /// <summary>What there is to give out if it fails.</summary>
    public required CacheEntry<T>? Stale
    {
        init => _stale = _original = value;
    }

    /// <summary>Whether a call that its factory made has failed for good.</summary>
    public bool DependencyFailed => _inbound?.DependencyFailed == true;

    private CacheShard Shard => Core.ShardOf(Key);

    private bool WritesLocal => Keeps && !Has(HybridCacheEntryFlags.DisableLocalCacheWrite);

    private bool ReadsDistributed => Keeps && Core.Distributed is not null && !Has(HybridCacheEntryFlags.DisableDistributedCacheRead) && DistributedTier.CanKeep(Key);

    private bool WritesDistributed => Keeps && Core.Distributed is not null && !Has(HybridCacheEntryFlags.DisableDistributedCacheWrite) && DistributedTier.CanKeep(Key);

    /// <summary>Adds one who waits, under the shard's gate.</summary>
    public Task<CacheAnswer<T>> Join(long now)
    {
        _waiters++;
        if (Current is not null)
        {
            // That factory holds a place, or this flight's turn is after its end: waiting for either, it would wait for itself.
            _isWantedInside = true;
            Begin();
            Core.Gate.LetIn(_place);
        }

        // The first answer was a stale value. Who comes when that is too old waits for what follows.
        return _final is not null && !CanGiveStale(now) ? _final.Task : _first.Task;
    }

    /// <summary>One who waited has its answer, or has given up.</summary>
    public void Leave()
    {
        lock (Shard.Gate)
        {
            if (--_waiters > 0 || IsBackground || _final is not null || !TryEnd(retryAt: long.MinValue))
            {
                return;
            }

            _isAbandoned = true;
        }

        Cancel();
    }

    public override void End()
    {
        lock (Shard.Gate)
        {
            if (!TryEnd(retryAt: long.MinValue))
            {
                return;
            }

            _isAbandoned = true;
        }

        Cancel();
        FailAll(new ObjectDisposedException(nameof(HybridCache)));
    }

    public override bool IsLike(CacheFlight other) => other is CacheFlight<T> && other.Flags == Flags && other.Keeps == Keeps;

    public override void ForgetStale()
    {
        EndRefresh(long.MinValue);
        _stale = null;
    }

    /// <summary>Takes off, on a thread of its own: a factory that blocks must hold up nobody beyond what he is willing to wait.</summary>
    public void Start() => _ = Task.Run(RunAsync);

    protected abstract ValueTask<T> InvokeAsync(CancellationToken cancellationToken);

    protected override void OnBegun() => _turn.TrySetResult();

    private static TaskCompletionSource<CacheAnswer<T>> NewAnswer() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        Current = this;
        InboundCall.Current = _inbound = InboundOf(InboundCall.Current);
        var hasPlace = false;
        try
        {
            ArmSoft();
            if (Policy.HardTimeout is { } hard)
            {
                _hard = Core.Clock.Provider.CreateTimer(static state => ((CacheFlight<T>)state!).OnHard(), this, hard, Timeout.InfiniteTimeSpan);
            }

            await _turn.Task.WaitAsync(_cancellation.Token);
            if (ReadsDistributed && await TryDistributedAsync())
            {
                return;
            }

            ArmSoft();

            // A factory that asks for another key has a place already; waiting for a second one, it could wait for itself.
            if (Parent is null && Policy.MaxConcurrentFactories is { } limit)
            {
                hasPlace = await Core.Gate.EnterAsync(limit, _place, () => _isWantedInside, _cancellation.Token);
            }

            if (!HasEnded())
            {
                Succeed(await RunFactoryAsync());
            }
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

    // It serves all who wait for it, so no reader's deadline bounds it: what else the first reader's request says goes for its calls. Nobody waits for one in the background.
    private InboundCall? InboundOf(InboundCall? reader) =>
        reader is null || IsBackground ? null : new InboundCall(reader.IsRead) { Criticality = reader.Criticality, Attempt = reader.Attempt };

    private bool HasEnded()
    {
        lock (Shard.Gate)
        {
            return _isDone;
        }
    }

    // Under the shard's gate: whoever finds no flight of the key any more finds a stale value that may be refreshed again, too.
    private bool TryEnd(long retryAt)
    {
        if (_isDone)
        {
            return false;
        }

        _isDone = true;
        EndRefresh(retryAt);
        Shard.Unlink(this);
        return true;
    }

    // Of the one that readers know, and of the one that the distributed cache had in its place.
    private void EndRefresh(long retryAt)
    {
        _original?.EndRefresh(retryAt);
        _stale?.EndRefresh(retryAt);
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

    private void Succeed(T value)
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

        lock (Shard.Gate)
        {
            if (_isDone)
            {
                return;
            }

            if (IsLinked && Keeps && Core.Tags.AreValid(Tags, Began))
            {
                Store(made);
            }

            TryEnd(retryAt: long.MinValue);
        }

        DisposeTimers();
        Answer(new CacheAnswer<T>(CacheRead.Miss, made.Entry, value, hasOriginal: true));
    }

    // Under the shard's gate. Nobody waits for the distributed cache to take a value that is already there.
    private void Store(MadeValue<T> made)
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

        if (WritesDistributed)
        {
            _ = Shard.Enqueue(Key, new CacheWrite(made.Envelope, made.Lifetime, Policy.DistributedTimeout, Began, Distrusted: null), Core.WriteDistributedAsync);
        }
    }

    private void Fail(Exception exception)
    {
        bool isCurrent;
        var now = Core.Clock.CoarseTimestamp();
        lock (Shard.Gate)
        {
            isCurrent = IsLinked;
            if (!TryEnd(retryAt: now + Policy.FailureDelayTicks))
            {
                return;
            }
        }

        DisposeTimers();

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

        FailAll(exception);
    }

    private void FailAll(Exception exception)
    {
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
        CacheEntry<T>? stale;
        lock (Shard.Gate)
        {
            stale = _stale;
            if (_isDone || !IsLinked || !CanGiveStale(Core.Clock.CoarseTimestamp()))
            {
                return;
            }

            _final = NewAnswer();
            stale!.LeaveAlone();
        }

        _first.TrySetResult(new CacheAnswer<T>(CacheRead.Stale, stale, original: default, hasOriginal: false));
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
