namespace ResilientHost.DeadLetters;

/// <summary>Commits what many callers hand in together: whatever arrives while one commit is under way goes into the next, in the order of arrival.</summary>
/// <remarks>Thread-safe. Bounded by its callers, each of which waits for its own entry.</remarks>
/// <param name="commit">Called with one batch at a time and never with an empty one. MUST NOT throw, and MUST NOT run user code: it is called under a lock.</param>
internal sealed class GroupCommit<T>(Action<List<T>> commit) : IThreadPoolWorkItem
{
    private readonly Lock _arrivals = new();
    private readonly Lock _committing = new();
    private List<T> _pending = [];
    private List<T> _batch = [];
    private bool _isScheduled;

    /// <summary>Has the entry committed on the pool, soon.</summary>
    public void Add(T entry)
    {
        lock (_arrivals)
        {
            _pending.Add(entry);
            if (_isScheduled)
            {
                return;
            }

            _isScheduled = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Has the entry committed, on this thread or by whoever was about to; it is when this returns.</summary>
    public void AddAndWait(T entry)
    {
        lock (_arrivals)
        {
            _pending.Add(entry);
        }

        Commit();
    }

    /// <summary>Runs between two commits.</summary>
    public void Exclusively(Action action)
    {
        lock (_committing)
        {
            action();
        }
    }

    /// <summary>Commits what has arrived until now.</summary>
    public void Commit()
    {
        lock (_committing)
        {
            lock (_arrivals)
            {
                _isScheduled = false;
                (_pending, _batch) = (_batch, _pending);
            }

            if (_batch.Count > 0)
            {
                commit(_batch);
                _batch.Clear();
            }
        }
    }

    void IThreadPoolWorkItem.Execute() => Commit();
}
