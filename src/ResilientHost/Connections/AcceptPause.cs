namespace ResilientHost.Connections;

/// <summary>Interrupts accepting and lets it go on.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class AcceptPause
{
    private readonly Lock _gate = new();
    private volatile Round _round = Round.Start();
    private volatile TaskCompletionSource? _over;

    /// <summary>Completes with the pause; <see langword="null"/> while there is none.</summary>
    public Task? Over => _over?.Task;

    /// <summary>Cancelled by the next pause, or already by the present one.</summary>
    public CancellationToken Token => _round.Token;

    /// <summary>Interrupts whoever waits with <see cref="Token"/>.</summary>
    /// <returns>Whether this began the pause.</returns>
    public bool Begin()
    {
        Round round;
        lock (_gate)
        {
            if (_over is not null)
            {
                return false;
            }

            _over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            round = _round;
        }

        try
        {
            round.Cancel();
        }
        catch (AggregateException)
        {
            // A transport's callback threw; the pause stands all the same.
        }

        return true;
    }

    public void End()
    {
        if (_over is null)
        {
            return;
        }

        lock (_gate)
        {
            if (_over is { } over)
            {
                _round = Round.Start();
                _over = null;
                over.TrySetResult();
            }
        }
    }

    /// <summary>From the end of one pause to the beginning of the next.</summary>
    private sealed record Round(Action Cancel, CancellationToken Token)
    {
        // The source is never disposed: a listener may come for the token at any time, and a source without a timer holds nothing.
        public static Round Start()
        {
            var source = new CancellationTokenSource();
            return new Round(source.Cancel, source.Token);
        }
    }
}
