namespace ResilientHost.Caching;

/// <summary>How many factories run at a time; those that find no place wait in order. Thread-safe; follows a limit that changes.</summary>
internal sealed class FactoryGate
{
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = new();
    private int _running;

    public async ValueTask EnterAsync(int limit, CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource> place;
        lock (_gate)
        {
            if (_running < limit && _waiting.Count == 0)
            {
                _running++;
                return;
            }

            place = _waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        try
        {
            await place.Value.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            var isAdmitted = false;
            lock (_gate)
            {
                if (place.List is null)
                {
                    isAdmitted = true;
                }
                else
                {
                    _waiting.Remove(place);
                }
            }

            if (isAdmitted)
            {
                // Admitted and cancelled at the same time: the place is the next one's.
                Exit(limit);
            }

            throw;
        }
    }

    /// <param name="limit">As it is by now; <see langword="null"/>: there is none any more.</param>
    public void Exit(int? limit)
    {
        lock (_gate)
        {
            _running--;
            while (_waiting.First is { } next && (limit is null || _running < limit))
            {
                _waiting.RemoveFirst();
                _running++;
                next.Value.SetResult();
            }
        }
    }
}
