namespace FailureDrill.Kiosks.Service;

/// <summary>
/// Stands in for a database and its driver: a fixed number of connections serves the whole kiosk, and who finds none waits.
/// That is what one endpoint that waits for the depot takes from its neighbours.
/// </summary>
internal sealed class Ledger : IDisposable
{
    private const int Connections = 32;

    private readonly SemaphoreSlim _free = new(Connections, Connections);

    public int InUse => Connections - _free.CurrentCount;

    /// <summary>Takes a connection; disposing gives it back.</summary>
    public async Task<IDisposable> OpenAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        return new Connection(_free);
    }

    public void Dispose() => _free.Dispose();

    private sealed class Connection(SemaphoreSlim free) : IDisposable
    {
        private int _isReturned;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isReturned, 1) == 0)
            {
                free.Release();
            }
        }
    }
}
