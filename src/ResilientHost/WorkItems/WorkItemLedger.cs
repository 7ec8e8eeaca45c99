namespace ResilientHost.WorkItems;

/// <summary>What is known of a source beyond a run: who processes it, which items abandoned runs still work on, why items failed that were given back.</summary>
internal abstract class WorkItemLedger
{
    /// <summary>Whether an item would be lost with the process.</summary>
    public abstract bool HasRest { get; }

    /// <summary>Makes dead letters of all that is left in a source that does not survive the process.</summary>
    /// <returns>Complete when nothing is left, or when the time is up.</returns>
    public abstract Task BuryRestAsync(CancellationToken cancellationToken);

    /// <summary>Has every processing that still holds items let go of them, whether its time is up or not.</summary>
    /// <returns>Complete when they have, or when the time is up.</returns>
    public abstract Task LetGoAsync(CancellationToken cancellationToken);

    /// <summary>Says that what is left is lost.</summary>
    public abstract void ReportLost();
}

/// <inheritdoc/>
/// <remarks>Thread-safe. One for each source, for as long as the source lives.</remarks>
internal sealed class WorkItemLedger<T>(IWorkItemSource<T> source, Func<bool> hasItems) : WorkItemLedger
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<WorkItemProcessor<T>> _processors = [];
    private readonly List<HeldItem<T>> _overdue = [];
    private readonly Dictionary<long, FailedAttempt> _failures = [];
    private DeadLetterWriter<T>? _writer;

    public IWorkItemSource<T> Source => source;

    public override bool HasRest => !source.IsDurable && (hasItems() || HasOverdue());

    /// <summary>A processing begins.</summary>
    /// <returns>Those that are to stop and have to let go of their items first: else this one would overtake them.</returns>
    public IReadOnlyList<Task> Join(WorkItemProcessor<T> processor, DeadLetterWriter<T> writer)
    {
        lock (_gate)
        {
            var leaving = _processors.Where(other => other.IsStopping).Select(other => other.LetGo).ToList();
            _processors.Add(processor);
            _writer = writer;
            return leaving;
        }
    }

    /// <summary>A processing has ended.</summary>
    /// <returns>Whether it was the last.</returns>
    public bool Leave(WorkItemProcessor<T> processor)
    {
        lock (_gate)
        {
            _processors.Remove(processor);
            return _processors.Count == 0;
        }
    }

    /// <summary>Whether somebody else goes on taking items.</summary>
    public bool HasOther(WorkItemProcessor<T> processor)
    {
        lock (_gate)
        {
            return _processors.Any(other => other != processor && !other.IsStopping);
        }
    }

    /// <summary>Not finished: the next taker gets it, and knows why it failed.</summary>
    public void GiveBack(HeldItem<T> item)
    {
        KeepFailure(item.Work.Id, item.Failure);
        source.GiveBack(item.Work with { Attempts = item.Attempts });
    }

    /// <summary>Why an item that was given back failed; forgotten by asking.</summary>
    public FailedAttempt? TakeFailure(long id)
    {
        lock (_gate)
        {
            return _failures.Remove(id, out var failure) ? failure : null;
        }
    }

    /// <summary>An item's attempt did not end when it should have: nobody else gets it, nor one of its key, while it goes on.</summary>
    public void AddOverdue(HeldItem<T> item)
    {
        lock (_gate)
        {
            _overdue.Add(item);
        }
    }

    /// <summary>An overdue item is finished, or was given back: those of its key may go on.</summary>
    public void EndOverdue(HeldItem<T> item)
    {
        WorkItemProcessor<T>[] others;
        lock (_gate)
        {
            if (!_overdue.Remove(item))
            {
                return;
            }

            others = [.. _processors];
        }

        foreach (var other in others)
        {
            other.Unblock();
        }
    }

    public bool IsBlocked(LaneKey key)
    {
        lock (_gate)
        {
            return _overdue.Count > 0 && _overdue.Any(item => item.Key is { } other && other.Equals(key));
        }
    }

    public override async Task LetGoAsync(CancellationToken cancellationToken)
    {
        if (source.IsDurable)
        {
            return;
        }

        WorkItemProcessor<T>[] left;
        lock (_gate)
        {
            left = [.. _processors];
        }

        foreach (var processor in left)
        {
            processor.LeaveAtOnce();
        }

        await Task.WhenAll(left.Select(processor => processor.LetGo)).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override async Task BuryRestAsync(CancellationToken cancellationToken)
    {
        if (source.IsDurable || _writer is not { } writer)
        {
            return;
        }

        var buried = 0;
        for (var delay = FirstDelay; !cancellationToken.IsCancellationRequested; delay = delay < LongestDelay ? delay * 2 : LongestDelay)
        {
            var isDone = true;
            while (!cancellationToken.IsCancellationRequested && TryTakeRest(out var work, out var failure))
            {
                isDone = await TryBuryAsync(writer, work, failure, cancellationToken);
                if (!isDone)
                {
                    break;
                }

                buried++;
            }

            if (isDone)
            {
                break;
            }

            await Task.Delay(delay, writer.Clock.Provider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (buried > 0)
        {
            writer.Log.Left(writer.Worker, writer.Processing, buried);
        }
    }

    /// <summary>Why the last letter could not be kept.</summary>
    private Exception? LastProblem { get; set; }

    public override void ReportLost()
    {
        if (_writer is { } writer)
        {
            writer.Log.Lost(writer.Worker, writer.Processing, LastProblem);
        }
    }

    private bool HasOverdue()
    {
        lock (_gate)
        {
            return _overdue.Count > 0;
        }
    }

    private bool TryTakeRest(out WorkItem<T> work, out FailedAttempt? failure)
    {
        if (TakeOverdue() is { } item)
        {
            // Its attempt may still end well; a letter too many is better than an item that is nowhere.
            work = item.Work with { Attempts = item.Attempts };
            failure = item.Failure;
            return true;
        }

        failure = null;
        if (!source.TryTake(out work))
        {
            return false;
        }

        failure = TakeFailure(work.Id);
        return true;
    }

    private async Task<bool> TryBuryAsync(DeadLetterWriter<T> writer, WorkItem<T> work, FailedAttempt? failure, CancellationToken cancellationToken)
    {
        try
        {
            var reason = failure is { IsFinal: true } ? DeadLetterReason.Poison : DeadLetterReason.Shutdown;

            // A sink that does not look at its token must not keep the host from stopping; what it does in the end is its own.
            await Task.Run(() => writer.WriteAsync(work, reason, failure, cancellationToken), CancellationToken.None).WaitAsync(cancellationToken);
            source.Complete(work);
            return true;
        }
        catch (Exception exception)
        {
            LastProblem = exception;
            KeepFailure(work.Id, failure);
            source.GiveBack(work);
            writer.NotKept(work, DeadLetterReason.Shutdown, isFirst: true, exception);
            return false;
        }
    }

    private HeldItem<T>? TakeOverdue()
    {
        lock (_gate)
        {
            // Also while its processing still waits for it: whoever claims an item finishes it.
            while (_overdue.Count > 0)
            {
                var item = _overdue[^1];
                _overdue.RemoveAt(_overdue.Count - 1);
                if (item.TryClaim())
                {
                    return item;
                }
            }

            return null;
        }
    }

    private void KeepFailure(long id, FailedAttempt? failure)
    {
        if (failure is null)
        {
            return;
        }

        lock (_gate)
        {
            _failures[id] = failure;
        }
    }
}
