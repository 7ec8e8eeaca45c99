namespace ResilientHost.Outbound;

/// <summary>Bounds the reading of a body that has to be kept: by the caller's token, and by the call's time until the call is over.</summary>
internal sealed class RequestReplayReader : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _registration;

    public RequestReplayReader(TimeProvider provider, TimeSpan left, CancellationToken callerToken)
    {
        _source = new(Timeout.InfiniteTimeSpan, provider);
        _registration = callerToken.UnsafeRegister(AttemptCancellations.Cancel, _source);
        AttemptCancellations.Arm(_source, left);
    }

    public CancellationToken Token => _source.Token;

    public Task Begin(HttpContent content, RequestReplayBuffer target)
    {
        // The writer must end with the reading, also where it heeds no token, or blocks.
        Token.UnsafeRegister(static buffer => ((RequestReplayBuffer)buffer!).Abandon(), target);

        // On a thread of the pool: a content that writes without awaiting holds it until the body is sent, and must not hold the one that is to send it.
        var reading = Task.Run(() => content.CopyToAsync(target, Token), CancellationToken.None);
        _ = reading.ContinueWith(
            static (task, reader) =>
            {
                _ = task.Exception;
                ((RequestReplayReader)reader!).Dispose();
            },
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return reading;
    }

    /// <summary>Nobody wants the body any more.</summary>
    public void Cancel() => _source.Cancel();

    /// <summary>The call has its answer: what is still to be sent may take as long as it takes.</summary>
    public void Unbind() => _source.CancelAfter(Timeout.InfiniteTimeSpan);

    // The source itself stays, as cancelling may come later: without timer and registration there is nothing to keep it.
    public void Dispose()
    {
        _registration.Unregister();
        Unbind();
    }
}
