namespace ResilientHost.Workers;

/// <summary>Lets services be started until the host stops, and no longer: a service that starts behind the back of a host that stops would never be stopped. Thread-safe.</summary>
internal sealed class StartGate
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _allOut;
    private int _inside;

    public bool IsClosed
    {
        get
        {
            lock (_gate)
            {
                return _allOut is not null;
            }
        }
    }

    /// <summary>Begins a start, unless the gate is closed; <see cref="Leave"/> follows.</summary>
    public bool TryEnter()
    {
        lock (_gate)
        {
            if (_allOut is not null)
            {
                return false;
            }

            _inside++;
            return true;
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            _inside--;
            SignalIfEmpty();
        }
    }

    /// <summary>From now on nothing is started.</summary>
    /// <returns>Ends when the starts that were under way are over.</returns>
    public Task Close()
    {
        lock (_gate)
        {
            _allOut ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            SignalIfEmpty();
            return _allOut.Task;
        }
    }

    private void SignalIfEmpty()
    {
        if (_inside == 0)
        {
            _allOut?.TrySetResult();
        }
    }
}
