using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using ResilientHost.Hosting;
using ResilientHost.Workers;

namespace ResilientHost.WorkItems;

/// <summary>Processes the items of a source within one run of a worker.</summary>
/// <remarks>
/// One loop owns the state: it takes items, decides which of them runs, and is told by message of everything that happens elsewhere. Attempts run on the pool, letters are written there, and nothing
/// of the user's is called by the loop but <see cref="WorkItemOptions{T}.OrderBy"/>. An item is at any time in exactly one place: the source, the loop's hands, or the dead letters.
/// </remarks>
internal sealed partial class WorkItemProcessor<T> : IWorkItemProcessor, IDisposable
{
    // Refusals have no end of their own as failures do: without a delay they would spin.
    private static readonly TimeSpan LeastAfterRefusal = TimeSpan.FromMilliseconds(100);

    private readonly WorkerContext _context;
    private readonly WorkItemLedger<T> _ledger;
    private readonly IWorkItemSource<T> _source;
    private readonly Func<T, CancellationToken, Task> _handler;
    private readonly WorkItemPolicy<T> _policy;
    private readonly DeadLetterWriter<T> _writer;
    private readonly WorkItemServices _services;
    private readonly MonotonicClock _clock;
    private readonly CancellationToken _stopping;

    private readonly Channel<Message> _inbox = Channel.CreateUnbounded<Message>();
    private readonly CancellationTokenSource _abort = new();
    private readonly CancellationToken _aborted;
    private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The loop's own.
    private readonly HashSet<HeldItem<T>> _held = [];
    private readonly Queue<HeldItem<T>> _ready = new();
    private readonly Dictionary<LaneKey, ItemLane<T>> _lanes = [];
    private int _running;
    private int _burying;
    private int _unburied;
    private bool _isWatching;
    private bool _isExhausted;
    private Exception? _sourceError;
    private volatile Exception? _bug;
    private int _inFlight;

    public WorkItemProcessor(
        WorkerContext context,
        WorkItemLedger<T> ledger,
        Func<T, CancellationToken, Task> handler,
        WorkItemPolicy<T> policy,
        DeadLetterWriter<T> writer,
        WorkItemServices services,
        CancellationToken stopping)
    {
        _context = context;
        _ledger = ledger;
        _source = ledger.Source;
        _handler = handler;
        _policy = policy;
        _writer = writer;
        _services = services;
        _clock = context.Shared.Clock;
        _stopping = stopping;
        _aborted = _abort.Token;
        _drainGate = new(() => new WorkerGate(new WorkerRun(context.Worker, context.Run, _aborted), context.Shared));
    }

    private enum MessageKind
    {
        Stop,
        AttemptEnded,
        RetryDue,
        Buried,
        NotBuried,
        BurialDue,
        MayTake,
        Exhausted,
        Unblocked,
        GraceOver,
        Overdue,
    }

    public string Worker => _context.Name;

    public string Name => _policy.Name;

    public int InFlight => Volatile.Read(ref _inFlight);

    public bool IsStopping => _stopping.IsCancellationRequested;

    /// <summary>Complete when nothing of what was taken is left here, or when it is not to be waited for any longer.</summary>
    public Task LetGo => _letGo.Task;

    /// <summary>Processes until the source is empty for good.</summary>
    /// <exception cref="OperationCanceledException">It was to stop.</exception>
    public async Task RunAsync()
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(_aborted);
        await using var wake = _stopping.UnsafeRegister(static state => ((WorkItemProcessor<T>)state!).Post(MessageKind.Stop, item: null), this);
        var pulse = _context.Worker.Pulse;
        _services.Metrics.Began(this);

        // No item is no silence; each attempt counts as work for as long as it lasts.
        pulse.BeginIdle(_context.Run);
        try
        {
            if (await WaitForThoseBeforeAsync(_ledger.Join(this, _writer)))
            {
                await LoopAsync(watching.Token);
            }
        }
        catch (Exception exception)
        {
            _bug = exception;
        }
        finally
        {
            await watching.CancelAsync();
            await EndAsync();
            pulse.EndIdle(_context.Run);
            _services.Metrics.Ended(this);
        }

        if ((_bug ?? _sourceError) is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }

        if (!_isExhausted)
        {
            throw new OperationCanceledException("The processing of items was to stop.", _stopping);
        }
    }

    /// <summary>After <see cref="RunAsync"/>. Attempts that go on have only their token of it.</summary>
    public void Dispose() => _abort.Dispose();

    /// <summary>An abandoned run has let go of an item.</summary>
    public void Unblock() => Post(MessageKind.Unblocked, item: null);

    private async Task<bool> WaitForThoseBeforeAsync(IReadOnlyList<Task> letGo)
    {
        if (letGo.Count == 0)
        {
            return true;
        }

        try
        {
            await Task.WhenAll(letGo).WaitAsync(_stopping);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task LoopAsync(CancellationToken watching)
    {
        while (true)
        {
            while (_inbox.Reader.TryRead(out var message))
            {
                Handle(message);
            }

            if (_stopping.IsCancellationRequested && _phase == Phase.Open)
            {
                BeginStop();
            }

            if (_bug is not null && _phase != Phase.Leaving)
            {
                Abort(isFinal: false);
            }

            Dispatch(watching);
            if (IsDone())
            {
                return;
            }

            await _inbox.Reader.WaitToReadAsync(CancellationToken.None);
        }
    }

    private void Handle(Message message)
    {
        var item = message.Item;
        switch (message.Kind)
        {
            case MessageKind.AttemptEnded:
                _running--;
                OnAttemptEnded(item!);
                break;
            case MessageKind.RetryDue when item!.State == ItemState.Retrying:
                Ready(item);
                break;
            case MessageKind.Buried:
                _burying--;
                OnBuried(item!);
                break;
            case MessageKind.NotBuried:
                _burying--;
                OnNotBuried(item!);
                break;
            case MessageKind.BurialDue when item!.State == ItemState.Unburied:
                Bury(item);
                break;
            case MessageKind.MayTake:
                _isWatching = false;
                break;
            case MessageKind.Exhausted:
                _isWatching = false;
                _isExhausted = true;
                break;
            case MessageKind.Unblocked:
                OnUnblocked();
                break;
            case MessageKind.GraceOver:
                Abort(isFinal: true);
                break;
            case MessageKind.Overdue:
                OnOverdue();
                break;
            default:
                // A stop is seen by itself; what is due after it was given back is not due any more.
                break;
        }
    }

    private void Dispatch(CancellationToken watching)
    {
        while (_running < _policy.MaxConcurrency && _phase != Phase.Leaving)
        {
            if (_ready.TryDequeue(out var item))
            {
                Start(item);
            }
            else if (!MayTake() || !TryTake(watching))
            {
                return;
            }
        }
    }

    private void Start(HeldItem<T> item)
    {
        if (item.Attempts > _policy.MaxRetries || item.Failure is { IsFinal: true })
        {
            // Given back by a run that ended before its letter was kept.
            Bury(item);
            return;
        }

        item.State = ItemState.Running;
        _running++;
        ThreadPool.QueueUserWorkItem(static item => item.Execute(), item, preferLocal: false);
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        try
        {
            Post(await _source.WaitAsync(cancellationToken) ? MessageKind.MayTake : MessageKind.Exhausted, item: null);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It leaves.
        }
        catch (Exception exception)
        {
            // Whoever wrote to the channel completed it with this.
            _sourceError = exception;
            Post(MessageKind.Exhausted, item: null);
        }
    }

    private void OnAttemptEnded(HeldItem<T> item)
    {
        if (!_held.Contains(item))
        {
            return;
        }

        switch (item.End)
        {
            case AttemptEnd.Processed:
                Finish(item);
                break;
            case AttemptEnd.Interrupted when _phase == Phase.Draining:
                // Interrupted at the gate by the very stop that began to drain.
                Ready(item);
                break;
            case AttemptEnd.Poison when _phase != Phase.Leaving:
                Bury(item);
                break;
            case AttemptEnd.Retry when _phase is Phase.Open or Phase.Draining:
                Delay(item, ItemState.Retrying, MessageKind.RetryDue, _policy.DelayAfter(item.Attempts, _context.Shared.Random));
                break;
            case AttemptEnd.Refused when _phase is Phase.Open or Phase.Draining:
                Delay(item, ItemState.Retrying, MessageKind.RetryDue, DelayAfterRefusal(item));
                break;
            default:
                GiveBack(item);
                break;
        }
    }

    private TimeSpan DelayAfterRefusal(HeldItem<T> item)
    {
        var delay = _policy.DelayAfter(item.Refusals, _context.Shared.Random);
        return delay > LeastAfterRefusal ? delay : LeastAfterRefusal;
    }

    private void Delay(HeldItem<T> item, ItemState state, MessageKind due, TimeSpan delay)
    {
        item.State = state;
        if (delay <= TimeSpan.Zero)
        {
            Post(due, item);
            return;
        }

        item.Timer?.Dispose();
        item.Timer = _clock.Provider.CreateTimer(
            static state =>
            {
                var (processor, due, item) = ((WorkItemProcessor<T>, MessageKind, HeldItem<T>))state!;
                processor.Post(due, item);
            },
            (this, due, item),
            delay,
            Timeout.InfiniteTimeSpan);
    }

    private void Post(MessageKind kind, HeldItem<T>? item) => _inbox.Writer.TryWrite(new(kind, item));

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Message(MessageKind Kind, HeldItem<T>? Item);
}
