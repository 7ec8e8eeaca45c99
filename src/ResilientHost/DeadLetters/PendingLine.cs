namespace ResilientHost.DeadLetters;

/// <summary>A line on its way into a file, and what its writer waits for.</summary>
internal class PendingLine(byte[] line) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public byte[] Line { get; protected set; } = line;

    /// <summary>It is in the file, or why it is not.</summary>
    public void End(Exception? failure)
    {
        if (failure is null)
        {
            TrySetResult();
        }
        else
        {
            TrySetException(failure);
        }
    }
}
