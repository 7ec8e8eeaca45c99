namespace ResilientHost.Workers;

/// <summary>Starts what outlives whoever starts it.</summary>
internal static class DetachedTask
{
    /// <summary>Runs on the pool, and without the caller's execution context: no activity, log scope or culture of whoever starts a worker belongs to what it does for years after.</summary>
    public static Task Run(Func<Task> work)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Task.Run(work);
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(work);
        }
    }
}
