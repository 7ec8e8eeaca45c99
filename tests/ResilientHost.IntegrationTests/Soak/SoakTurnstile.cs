namespace ResilientHost.IntegrationTests.Soak;

/// <summary>Lets callers in until it is closed; closed, it waits until the last of them has come out. One closes it at a time.</summary>
internal sealed class SoakTurnstile
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _opened;
    private TaskCompletionSource? _empty;
    private int _inside;

    public async Task<IDisposable> EnterAsync()
    {
        while (true)
        {
            Task opened;
            lock (_gate)
            {
                if (_opened is null)
                {
                    _inside++;
                    return new Visit(this);
                }

                opened = _opened.Task;
            }

            await opened;
        }
    }

    public Task CloseAsync()
    {
        lock (_gate)
        {
            _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
            TellWhenEmptyLocked();
            return _empty.Task;
        }
    }

    public void Open()
    {
        lock (_gate)
        {
            _opened!.SetResult();
            (_opened, _empty) = (null, null);
        }
    }

    private void Leave()
    {
        lock (_gate)
        {
            _inside--;
            TellWhenEmptyLocked();
        }
    }

    private void TellWhenEmptyLocked()
    {
        if (_inside == 0)
        {
            _empty?.TrySetResult();
        }
    }

    private sealed class Visit(SoakTurnstile turnstile) : IDisposable
    {
        public void Dispose() => turnstile.Leave();
    }
}
