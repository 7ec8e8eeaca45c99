namespace ResilientHost.Testing;

/// <summary>What the recorders share: the newest records up to a bound, and waiting for one without sleeping.</summary>
/// <remarks>Thread-safe. Predicates run outside the lock, on the waiting side.</remarks>
internal sealed class RecordBuffer<T>
{
    private readonly Lock _gate = new();
    private readonly Queue<T> _records = new();
    private readonly int _capacity;
    private TaskCompletionSource? _changed;
    private long _dropped;

    public RecordBuffer(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _capacity = capacity;
    }

    public long Dropped => Interlocked.Read(ref _dropped);

    public void Add(T record)
    {
        TaskCompletionSource? changed;
        lock (_gate)
        {
            if (_records.Count == _capacity)
            {
                _records.Dequeue();
                _dropped++;
            }

            _records.Enqueue(record);
            changed = _changed;
            _changed = null;
        }

        changed?.SetResult();
    }

    public IReadOnlyList<T> ToList()
    {
        lock (_gate)
        {
            return [.. _records];
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _records.Clear();
            _dropped = 0;
        }
    }

    public async Task<T> WaitForAsync(Func<T, bool> predicate, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        T? found = default;
        await WaitUntilAsync(Find, timeout, cancellationToken);
        return found!;

        bool Find(IReadOnlyList<T> records)
        {
            foreach (var record in records)
            {
                if (predicate(record))
                {
                    found = record;
                    return true;
                }
            }

            return false;
        }
    }

    public async Task WaitUntilAsync(Func<IReadOnlyList<T>, bool> predicate, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        while (true)
        {
            // The signal is taken before the records are read, so that a record added in between ends the wait at once.
            var (records, changed) = Watch();
            if (predicate(records))
            {
                return;
            }

            try
            {
                await changed.WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"Nothing recorded within {timeout} met the condition; {records.Count} records of type {typeof(T).Name} were there.", error);
            }
        }
    }

    private (IReadOnlyList<T> Records, Task Changed) Watch()
    {
        lock (_gate)
        {
            _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return ([.. _records], _changed.Task);
        }
    }
}
