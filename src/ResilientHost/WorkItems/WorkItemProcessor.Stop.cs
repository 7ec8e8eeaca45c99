namespace ResilientHost.WorkItems;

/// <content>How it stops.</content>
internal sealed partial class WorkItemProcessor<T>
{
    // Shares of the worker's StopTimeout: what is left after the first is for letters, what is left after the second for the worker's own end.
    private const double Grace = 0.8;
    private const double LastCall = 0.9;
    private const double Letters = 0.95;

    private Phase _phase;
    private bool _isFinal;
    private bool _isLastCallOver;
    private bool _hasEnded;
    private long _stopBegan;
    private ITimer? _graceTimer;
    private ITimer? _overdueTimer;

    private enum Phase
    {
        /// <summary>Takes items.</summary>
        Open,

        /// <summary>The process ends, and what it does not finish would be lost: takes what is there.</summary>
        Draining,

        /// <summary>The process ends, and what it does not finish is kept: finishes what is under way.</summary>
        Finishing,

        /// <summary>What is under way was cancelled and is waited for; everything else was given back.</summary>
        Leaving,
    }

    private TimeSpan StopTimeout => _context.Worker.Policy.StopTimeout;

    /// <summary>The host goes now: its time was up before the worker's.</summary>
    public void LeaveAtOnce()
    {
        Post(MessageKind.GraceOver, item: null);
        Post(MessageKind.Overdue, item: null);
    }

    private void BeginStop()
    {
        _stopBegan = _clock.Timestamp();
        if (!_services.IsHostStopping())
        {
            // The next run is to begin soon, and processes what this one leaves.
            Abort(isFinal: false);
            return;
        }

        _isFinal = true;
        _phase = _source.IsDurable ? Phase.Finishing : Phase.Draining;
        if (_phase == Phase.Finishing)
        {
            GiveBackWaiting(andUnburied: false);
        }

        // Whether the source is empty is to be seen anew: what came since it was looked at last has not been told yet.
        _isWatching = false;

        _graceTimer = After(StopTimeout * Grace, MessageKind.GraceOver);
        _overdueTimer = After(StopTimeout * LastCall, MessageKind.Overdue);
    }

    private void Abort(bool isFinal)
    {
        if (_phase == Phase.Leaving)
        {
            return;
        }

        if (_phase == Phase.Open)
        {
            _stopBegan = _clock.Timestamp();
        }

        _phase = Phase.Leaving;
        _isFinal = isFinal;
        _overdueTimer ??= After(StopTimeout, MessageKind.Overdue);

        // Not inline: what handlers registered with their token is theirs.
        _ = _abort.CancelAsync();
        GiveBackWaiting(andUnburied: true);
    }

    private void GiveBackWaiting(bool andUnburied)
    {
        // First, so that what is given back does not make the next of its key ready.
        _lanes.Clear();
        _ready.Clear();
        foreach (var item in _held)
        {
            item.Lane = null;
        }

        foreach (var item in _held.Where(item => item.State is ItemState.Waiting or ItemState.Retrying || (andUnburied && item.State == ItemState.Unburied)).OrderBy(item => item.Work.Id).ToList())
        {
            GiveBack(item);
        }
    }

    private void OnOverdue()
    {
        if (_held.Count == 0 || _isLastCallOver)
        {
            return;
        }

        _isLastCallOver = true;
        foreach (var item in _held)
        {
            _ledger.AddOverdue(item);
        }

        _services.Log.Overdue(Worker, Name, _held.Count, _clock.Elapsed(_stopBegan, _clock.Timestamp()), _context.Run);
        _letGo.TrySetResult();
    }

    private bool IsDone() => _phase switch
    {
        Phase.Open => _isExhausted && _held.Count == 0,
        Phase.Draining => _held.Count == 0 && (_isExhausted || _isWatching),
        Phase.Finishing => _held.Count == 0,
        _ => (_running == 0 && _burying == 0) || (_isFinal && _isLastCallOver),
    };

    private async Task EndAsync()
    {
        if (_graceTimer is not null)
        {
            await _graceTimer.DisposeAsync();
        }

        if (_overdueTimer is not null)
        {
            await _overdueTimer.DisposeAsync();
        }

        _phase = Phase.Leaving;

        // Items of a loop that ended by a bug of its own.
        foreach (var item in _held.Where(item => item.State is not (ItemState.Running or ItemState.Burying)).OrderBy(item => item.Work.Id).ToList())
        {
            item.Lane = null;
            GiveBack(item);
        }

        Volatile.Write(ref _hasEnded, true);
        await _abort.CancelAsync();
        _letGo.TrySetResult();
        if (_isFinal && !_source.IsDurable && !_ledger.HasOther(this))
        {
            var left = (StopTimeout * Letters) - _clock.Elapsed(_stopBegan, _clock.Timestamp());
            using var limit = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, _clock.Provider);
            await _ledger.BuryRestAsync(limit.Token);
        }

        _services.Left(_ledger, _ledger.Leave(this));
        EndLate();
    }

    /// <summary>Settles what ends after the loop has: there is nobody else who would read of it.</summary>
    private void EndLate()
    {
        lock (_inbox)
        {
            while (_inbox.Reader.TryRead(out var message))
            {
                Handle(message);
            }
        }
    }

    private ITimer After(TimeSpan delay, MessageKind kind) => _clock.Provider.CreateTimer(
        static state =>
        {
            var (processor, kind) = ((WorkItemProcessor<T>, MessageKind))state!;
            processor.Post(kind, item: null);
        },
        (this, kind),
        delay,
        Timeout.InfiniteTimeSpan);
}
