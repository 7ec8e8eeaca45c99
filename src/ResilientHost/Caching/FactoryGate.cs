namespace ResilientHost.Caching;

/// <summary>How many factories run at a time; those that find no place wait in order. Thread-safe; follows a limit that changes.</summary>
internal sealed class FactoryGate
{
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = new();
    private int _running;

    /// <param name="limit">How many may run.</param>
    /// <param name="turn">Completes when it is the caller's turn.</param>
    /// <param name="isExempt">Whether a factory that has a place waits for this one, which then needs none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether there is a place to give back.</returns>
    public async ValueTask<bool> EnterAsync(int limit, TaskCompletionSource turn, Func<bool> isExempt, CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource> place;
        lock (_gate)
        {
            if (isExempt())
            {
                return false;
            }

            if (_running < limit && _waiting.Count == 0)
            {
                _running++;
                return true;
            }

            place = _waiting.AddLast(turn);
        }

        try
        {
            await turn.Task.WaitAsync(cancellationToken);
            return true;
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

    /// <summary>Lets one in that waits for its turn, beyond the limit. The caller has made it exempt before, so that one that does not wait yet will not.</summary>
    public void LetIn(TaskCompletionSource turn)
    {
        lock (_gate)
        {
            if (_waiting.Remove(turn))
            {
                _running++;
                turn.SetResult();
            }
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
