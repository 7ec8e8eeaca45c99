namespace Storefront.Orders;

/// <summary>Waits for what cannot be relied upon to heed a token.</summary>
internal static class LeavingTaskExtensions
{
    /// <summary>
    /// Waits for the work, or leaves it behind when the token is cancelled. Only for work that ends by itself before long and
    /// whose result nobody misses: nobody learns what becomes of it.
    /// </summary>
    public static async Task<T> OrLeaveAsync<T>(this Task<T> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Its failure is no news any more, and must not be reported as one that nobody awaited.
            _ = work.ContinueWith(
                static left => left.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            throw;
        }
    }
}
