using System.Diagnostics.CodeAnalysis;

namespace ResilientHost.WorkItems;

/// <summary>The items of a journaled channel that are in the journal: waiting, or out to be processed.</summary>
/// <remarks>Thread-safe. Whoever waits goes on outside the lock.</remarks>
internal sealed class JournaledChannelQueue<T>
{
    private readonly Lock _gate = new();
    private readonly Queue<WorkItem<T>> _waiting = new();
    private readonly PriorityQueue<WorkItem<T>, long> _returned = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _change;
    private int _out;
    private int _writes;
    private bool _isCompleted;
    private bool _isClosed;
    private Exception? _error;

    /// <summary>Ends when the writer is completed and everything is finished, or with the writer's error; also when the channel is closed.</summary>
    public Task Completion => _completion.Task;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count + _returned.Count;
            }
        }
    }

    public bool IsCompleted => Volatile.Read(ref _isCompleted);

    public Exception? Error => Volatile.Read(ref _error);

    /// <summary>A write begins: the channel is not at its end before the write is.</summary>
    /// <returns><see langword="false"/> once the writer is completed.</returns>
    public bool TryBeginWrite()
    {
        lock (_gate)
        {
            if (_isCompleted)
            {
                return false;
            }

            _writes++;
            return true;
        }
    }

    public void EndWrite()
    {
        lock (_gate)
        {
            _writes--;
            Changed(isNews: false);
        }
    }

    public void Add(long id, T value)
    {
        lock (_gate)
        {
            _waiting.Enqueue(new WorkItem<T>(id, value, Attempts: 0));
            Changed(isNews: true);
        }
    }

    public bool TryTake(out WorkItem<T> item)
    {
        lock (_gate)
        {
            if (_isClosed || !(_returned.TryDequeue(out item, out _) || _waiting.TryDequeue(out item)))
            {
                item = default;
                return false;
            }

            _out++;
            return true;
        }
    }

    public bool TryPeek([MaybeNullWhen(false)] out T value)
    {
        lock (_gate)
        {
            var found = (_returned.TryPeek(out var item, out _) || _waiting.TryPeek(out item)) && !_isClosed;
            value = item.Value;
            return found;
        }
    }

    public void GiveBack(in WorkItem<T> item)
    {
        lock (_gate)
        {
            _out--;
            _returned.Enqueue(item, item.Id);
            Changed(isNews: true);
        }
    }

    /// <summary>An item that was taken is finished.</summary>
    public void Finished()
    {
        lock (_gate)
        {
            _out--;
            Changed(isNews: false);
        }
    }

    /// <summary>Nothing more is written.</summary>
    /// <returns><see langword="false"/> if that was known.</returns>
    public bool TryComplete(Exception? error)
    {
        lock (_gate)
        {
            if (_isCompleted)
            {
                return false;
            }

            _isCompleted = true;
            _error = error;
            Changed(isNews: false);
            return true;
        }
    }

    /// <summary>Nothing more is taken: what is not finished stays in the journal.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            Changed(isNews: false);
        }
    }

    /// <summary>Waits until there may be an item.</summary>
    /// <returns><see langword="false"/>: none will ever come.</returns>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task change;
            lock (_gate)
            {
                if (!_isClosed && _waiting.Count + _returned.Count > 0)
                {
                    return true;
                }

                if (IsAtEnd)
                {
                    break;
                }

                _change ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                change = _change.Task;
            }

            await change.WaitAsync(cancellationToken);
        }

        // The writer's error, as other channels tell it.
        await _completion.Task;
        return false;
    }

    private bool IsAtEnd => _isClosed || (_isCompleted && _writes == 0 && _out == 0 && _waiting.Count + _returned.Count == 0);

    private void Changed(bool isNews)
    {
        var isAtEnd = IsAtEnd;
        if (isAtEnd && !_completion.Task.IsCompleted)
        {
            if (_error is null)
            {
                _completion.TrySetResult();
            }
            else
            {
                _completion.TrySetException(_error);
            }
        }

        if (isNews || isAtEnd)
        {
            _change?.TrySetResult();
            _change = null;
        }
    }
}
