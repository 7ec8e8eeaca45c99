using Polly;

namespace ResilientHost.Outbound;

/// <summary>The attempts of one call after its first. One thing at a time; not thread-safe.</summary>
internal sealed class RetryRun(OutboundCall call, AttemptResult first, Func<double> random)
{
    private AttemptResult _last = first;
    private int _made = 1;
    private bool _isHanded;
    private bool _isDecided;
    private bool _isPaid;
    private bool _isOver;

    /// <summary>The wait before the attempt that <see cref="MayGoOn"/> allowed.</summary>
    public TimeSpan? Delay { get; private set; }

    /// <summary>The first attempt's result, which is there already, then one attempt at a time.</summary>
    public async ValueTask<Outcome<AttemptResult>> NextAsync()
    {
        if (!_isHanded)
        {
            _isHanded = true;
            return Outcome.FromResult(_last);
        }

        _isPaid = false;
        _isDecided = false;
        call.Replay.Restore(call.Request);

        // Kept until the next one is let through: when it is not, this is the answer.
        call.Held = _last.Response;
        var next = await call.AttemptAsync(call.Request, ++_made, isHedge: false, call.CallerToken);
        if (next.End == AttemptEnd.Refused)
        {
            call.Authority.Budget.Return();
            _isOver = true;
            if (call.Held is not null)
            {
                call.Held = null;
                return Outcome.FromResult(_last);
            }

            next = next.Because(_last.Exception);
        }

        call.LetGo();
        _last = next;
        return Outcome.FromResult(next);
    }

    /// <summary>Whether another attempt is to be made; takes it out of the budget.</summary>
    public bool MayGoOn(in Outcome<AttemptResult> outcome)
    {
        if (_isDecided)
        {
            // The first decision was made before there was any need of a pipeline.
            return true;
        }

        if (outcome.Exception is not null || _isOver || !_last.IsFailure || _last.IsFinal || _made >= call.MaxAttempts || call.CallerToken.IsCancellationRequested)
        {
            return false;
        }

        var delay = RetryDelay.Of(call.Policy.Retry, _made, _last.RetryAfter, random());
        if (delay >= call.Left(call.Clock.Timestamp()) || IsRefusedUntilAfter(delay))
        {
            return false;
        }

        if (!call.Authority.Budget.TryWithdraw())
        {
            call.Services.Telemetry.BudgetExhausted(call);
            return false;
        }

        (Delay, _isPaid, _isDecided) = (delay, true, true);
        call.Services.Telemetry.Retrying(call, _made + 1, _last, delay);
        return true;
    }

    /// <summary>What came of it all.</summary>
    public AttemptResult End(in Outcome<AttemptResult> outcome)
    {
        if (_isPaid)
        {
            call.Authority.Budget.Return();
        }

        if (outcome.Exception is not { } exception)
        {
            return outcome.Result;
        }

        // The wait was cut short, or something here threw.
        call.LetGo();
        _last.Discard();
        return call.CallerToken.IsCancellationRequested ? call.Cancelled(exception) : new(AttemptEnd.Broken, null, exception);
    }

    private bool IsRefusedUntilAfter(TimeSpan delay) =>
        call.Authority.CircuitBreaker.IsRefusing(call.Clock.CoarseTimestamp(), out var refusal) && (refusal.RetryAfter is not { } wait || wait > delay);
}
