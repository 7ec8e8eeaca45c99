namespace ResilientHost.IntegrationTests.Fixture;

/// <summary>Holds what arrives until it is opened, and tells of every arrival.</summary>
public sealed class Gate
{
    private readonly SemaphoreSlim _arrivals = new(0);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Arrives, and waits until the gate is open or the token is cancelled.</summary>
    public Task PassAsync(CancellationToken cancellationToken = default)
    {
        _arrivals.Release();
        return _opened.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Waits for an arrival that nobody has waited for yet.</summary>
    public async Task ArrivalAsync() => (await _arrivals.WaitAsync(TestService.Patience)).ShouldBeTrue("Nobody arrived at the gate in time.");

    public void Open() => _opened.TrySetResult();
}
