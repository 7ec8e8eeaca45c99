using ResilientHost.Hosting;

namespace ResilientHost.IsolatedTasks;

internal sealed partial class IsolatedTaskRunner
{
    private const double CancelAfter = 0.9;

    private bool _isDraining;
    private TaskCompletionSource? _drained;

    /// <summary>Refuses new tasks and waits for those that live; cancels them when nine tenths of the time are over, or the caller has no more. Never throws.</summary>
    /// <param name="limit">How long to wait.</param>
    /// <param name="cancellationToken">Ends the wait early.</param>
    /// <returns>The tasks that were left behind, by name.</returns>
    public async Task<IReadOnlyList<IsolatedTaskSnapshot>> DrainAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var began = _clock.Timestamp();
        Task drained;
        lock (_gate)
        {
            _isDraining = true;
            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_live == 0)
            {
                _drained.TrySetResult();
            }

            drained = _drained.Task;
        }

        if (drained.IsCompleted)
        {
            return [];
        }

        _log.Draining(Living(), limit);
        var cancelled = TimeSpan.FromTicks((long)(limit.Ticks * CancelAfter));
        if (!await HappensAsync(drained, cancelled, cancellationToken))
        {
            _ = CancelAsync();
            await HappensAsync(drained, limit - cancelled, cancellationToken);
        }

        // Read after the wait: a task may end between the two, and what has ended is not left behind.
        var left = Living();
        var took = _clock.Elapsed(began, _clock.Timestamp());
        if (left.Count == 0)
        {
            _log.Drained(took);
        }
        else
        {
            _log.LeftBehind(left, took);
        }

        return left;
    }

    /// <summary>Refuses new tasks and cancels those that live, without waiting: whoever stops the host drains.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDraining = true;
        }

        // The source is not disposed: tasks that are left behind still ask its token.
        _ = CancelAsync();
    }

    private async Task<bool> HappensAsync(Task drained, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await drained.WaitAsync(limit, _clock.Provider, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            return drained.IsCompleted;
        }
    }

    // On another thread: what the application registered with the token may block, and the drain has a limit.
    private async Task CancelAsync()
    {
        try
        {
            await _stopping.CancelAsync();
        }
        catch (Exception exception)
        {
            _log.CancellationThrew(exception);
        }
    }

    private List<IsolatedTaskSnapshot> Living() => [.. Snapshot().Where(track => track.Live > 0)];
}
