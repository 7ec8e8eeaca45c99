using System.Threading.Channels;

namespace ResilientHost.WorkItems;

/// <summary>The items of a channel in memory, with those that were given back: they outlive the run that took them, not the process.</summary>
/// <remarks>Thread-safe. There is one for each channel, so that it is read in one place and no item can be taken twice.</remarks>
internal sealed class ChannelSource<T>(ChannelReader<T> reader) : IWorkItemSource<T>
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<WorkItem<T>, long> _returned = new();
    private TaskCompletionSource _changed = NewChange();
    private Task<bool>? _read;
    private long _lastId;
    private int _out;

    public bool IsDurable => false;

    public bool HasItems
    {
        get
        {
            lock (_gate)
            {
                return _returned.Count > 0 || _out > 0 || (reader.CanCount ? reader.Count > 0 : reader.CanPeek ? reader.TryPeek(out _) : !reader.Completion.IsCompleted);
            }
        }
    }

    /// <summary>
    /// Nothing ever comes again only when nothing is out either: what another run still holds may be given back. A channel that was completed with an exception throws it here, after its last item.
    /// </summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task changed;
            Task<bool> read;
            lock (_gate)
            {
                if (_returned.Count > 0)
                {
                    return true;
                }

                changed = _changed.Task;

                // One wait for all takers, which outlives them: some channels know of one reader only, whose second wait would cancel the first.
                if (_read is null or { IsCompletedSuccessfully: true, Result: true })
                {
                    _read = reader.WaitToReadAsync(CancellationToken.None).AsTask();
                }

                read = _read;
                if (_out == 0 && read.IsCompleted && !(read.IsCompletedSuccessfully && read.Result))
                {
                    changed = Task.CompletedTask;
                }
            }

            if (read.IsCompletedSuccessfully && read.Result)
            {
                return true;
            }

            if (read.IsCompleted && changed.IsCompleted)
            {
                lock (_gate)
                {
                    if (_returned.Count > 0)
                    {
                        return true;
                    }

                    if (_out > 0)
                    {
                        continue;
                    }
                }

                return await read;
            }

            await (read.IsCompleted ? changed : Task.WhenAny(read, changed)).WaitAsync(cancellationToken);
        }
    }

    public bool TryTake(out WorkItem<T> item)
    {
        lock (_gate)
        {
            if (_returned.TryDequeue(out item, out _))
            {
                _out++;
                return true;
            }

            if (!reader.TryRead(out var value))
            {
                return false;
            }

            _out++;
            item = new(++_lastId, value, Attempts: 0);
            return true;
        }
    }

    public void Complete(in WorkItem<T> item)
    {
        lock (_gate)
        {
            if (--_out == 0)
            {
                Change();
            }
        }
    }

    public void GiveBack(in WorkItem<T> item)
    {
        lock (_gate)
        {
            _out--;
            _returned.Enqueue(item, item.Id);
            Change();
        }
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Change()
    {
        // Replaced only where somebody may look at it: a busy source would otherwise make one per item.
        if (_read is not null)
        {
            var changed = _changed;
            _changed = NewChange();
            changed.TrySetResult();
        }
    }
}
