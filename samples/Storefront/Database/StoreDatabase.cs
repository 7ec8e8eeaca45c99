using System.Collections.Concurrent;

namespace Storefront.Database;

/// <summary>
/// Stands in for a database and its driver: the data is in memory, but as with any driver a fixed number of connections
/// serves the whole process, and who finds none waits.
/// </summary>
/// <remarks>
/// That pool is what one slow endpoint takes from its neighbours. Checkout and recommendations keep their connection while
/// they wait for another service: a common mistake, and harmless only as long as something bounds how many of them wait.
/// </remarks>
internal sealed class StoreDatabase : IDisposable
{
    private const int PoolSize = 32;
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _free = new(PoolSize, PoolSize);
    private int _waiting;

    public int Connections => PoolSize;

    public int InUse => PoolSize - _free.CurrentCount;

    public int Waiting => Volatile.Read(ref _waiting);

    internal ConcurrentDictionary<int, int> Sold { get; } = new();

    /// <summary>Takes a connection from the pool; disposing gives it back.</summary>
    /// <exception cref="TimeoutException">No connection became free in time.</exception>
    public async Task<StoreConnection> OpenAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            return await _free.WaitAsync(WaitLimit, cancellationToken)
                ? new StoreConnection(this)
                : throw new TimeoutException($"All {PoolSize} connections stayed in use for {WaitLimit.TotalSeconds} s.");
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public void Dispose() => _free.Dispose();

    internal void Return() => _free.Release();
}
