namespace FailureDrill.Processes;

/// <summary>Follows one circuit through its states by reading the status.</summary>
internal sealed class CircuitWatch(ServiceControl control, string name)
{
    private readonly List<string> _states = [];

    /// <summary>The states seen so far, each once per visit; empty when there is no such circuit.</summary>
    public IReadOnlyList<string> States => _states;

    public async Task<string?> ReadAsync(CancellationToken cancellationToken)
    {
        var state = (await control.ReadStatusAsync(cancellationToken)).Circuit(name)?.PlainState;
        if (state is not null && (_states.Count == 0 || _states[^1] != state))
        {
            _states.Add(state);
        }

        return state;
    }

    public async Task WatchAsync(Task until, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!until.IsCompleted)
        {
            await ReadAsync(cancellationToken);
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}
