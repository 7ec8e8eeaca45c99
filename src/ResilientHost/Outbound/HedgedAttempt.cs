using Polly;

namespace ResilientHost.Outbound;

/// <summary>One of several attempts at a call: what Polly sees of it ends as soon as it is cancelled, what it really does may end later and is then disposed.</summary>
/// <param name="call">The call.</param>
/// <param name="request">A clone of the caller's, of its own: what does not heed its cancellation may still write into it when the caller has its answer.</param>
/// <param name="number">From 1.</param>
/// <param name="notBefore">The timestamp before which it is not sent: an attempt before was told when to come back.</param>
internal sealed class HedgedAttempt(OutboundCall call, HttpRequestMessage request, int number, long notBefore)
{
    private readonly bool _isHedge = number > 1;
    private long _started;
    private Task<AttemptResult>? _running;
    private AttemptResult _result;
    private volatile bool _ended;

    /// <summary>How it ended; <see langword="null"/> while it runs, and for good when it was cancelled before it ended.</summary>
    public AttemptResult? Result => _ended ? _result : null;

    /// <summary>What a call gives whose caller has left.</summary>
    public static AttemptResult Cancelled(OutboundCall call) => call.Cancelled(new OperationCanceledException(call.CallerToken));

    /// <summary>Runs until there is a result, or nobody wants it any more.</summary>
    public async ValueTask<Outcome<HedgedAttempt>> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (call.Clock.Elapsed(call.Clock.Timestamp(), notBefore) is var wait && wait > TimeSpan.Zero)
            {
                // Never earlier than asked: timers count whole milliseconds.
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), call.Clock.Provider, cancellationToken);
            }

            _started = call.Clock.Timestamp();

            // A caller that waits on its thread would hold up the attempts beside.
            _running = call.IsSynchronous
                ? Task.Run(() => call.AttemptAsync(request, number, _isHedge, cancellationToken).AsTask(), CancellationToken.None)
                : call.AttemptAsync(request, number, _isHedge, cancellationToken).AsTask();
            _result = await _running.WaitAsync(cancellationToken);
            _ended = true;
            if (_isHedge && _result.End == AttemptEnd.Refused)
            {
                // Nothing was sent: the budget is for load on the dependency.
                call.Authority.Budget.Return();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Polly waits for every attempt that it has cancelled; one that does not heed its token must not hold up the answer that there is.
            if (_isHedge && _running is null)
            {
                call.Authority.Budget.Return();
            }
        }

        return Outcome.FromResult(this);
    }

    /// <summary>Lets go of what it gave, or will give.</summary>
    public void Abandon()
    {
        if (Result is { } result)
        {
            result.Discard();
            return;
        }

        if (_running is not null && call.Policy.Hedging is { Quantile: not null } && !call.CallerToken.IsCancellationRequested)
        {
            // It took at least so long. Without the losers, the latencies known would be those of the winners alone, and the quantile would sink with every hedge.
            call.Authority.Latency.Record(call.Clock.Elapsed(_started, call.Clock.Timestamp()));
        }

        _ = _running?.ContinueWith(
            static task => task.Result.Discard(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
