namespace ResilientHost.Pipeline;

/// <summary>Asks a task that did not end well why.</summary>
internal static class EndedTask
{
    /// <summary>What a failed or cancelled task ended with.</summary>
    /// <param name="task">Has ended, and not well.</param>
    public static Exception ExceptionOf(Task task)
    {
        if (task.Exception is { } error)
        {
            return error.InnerExceptions[0];
        }

        // A cancelled task tells what cancelled it, such as a timeout of an HttpClient, to nobody but whom it throws it at.
        try
        {
            task.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException cancelled)
        {
            return cancelled;
        }

        return new TaskCanceledException(task);
    }
}
