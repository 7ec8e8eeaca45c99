using Polly;

namespace ResilientHost.Outbound;

/// <summary>One call with attempts side by side: which may begin, whose outcome is waited for, which result is the call's.</summary>
/// <remarks>Polly begins attempts one after the other; their results may come at the same time, on any thread. The caller's own request is not sent: all attempts are clones of it.</remarks>
internal sealed class HedgedCall
{
    private readonly OutboundCall _call;
    private readonly List<HedgedAttempt> _attempts = new(2);
    private readonly TimeSpan _delay;
    private readonly int _maxAttempts;
    private readonly TimeSpan _longestWait;
    private long _notBefore = long.MinValue;
    private volatile bool _stopped;

    public HedgedCall(OutboundCall call, HedgingPolicy policy)
    {
        _call = call;
        _maxAttempts = call.MaxAttempts;
        _longestWait = call.Policy.Retry.MaxRetryAfter;
        _delay = DelayOf(call, policy);
    }

    /// <summary>How long the newest attempt may take before the next one begins; infinite when there will be none, as Polly would ask again and again.</summary>
    public TimeSpan Delay => _stopped || _attempts.Count >= _maxAttempts || _delay == Timeout.InfiniteTimeSpan ? Timeout.InfiniteTimeSpan : _delay + WaitAt(_call.Clock.Timestamp());

    /// <summary>Begins the first attempt.</summary>
    public HedgedAttempt First() => Add(1, long.MinValue);

    /// <summary>Begins the next attempt, unless the call has no more of them, no time or no budget left.</summary>
    public HedgedAttempt? TryBegin(int number)
    {
        var now = _call.Clock.Timestamp();
        if (_stopped || number > _maxAttempts || _call.Left(now) <= WaitAt(now))
        {
            _stopped = true;
            return null;
        }

        if (!_call.Authority.Budget.TryWithdraw())
        {
            _stopped = true;
            _call.Services.Telemetry.BudgetExhausted(_call);
            return null;
        }

        _call.Services.Telemetry.Hedging(_call, number, LastFailure());
        return Add(number, Volatile.Read(ref _notBefore));
    }

    /// <summary>Whether an outcome is not good enough to end the call while others may still bring a better one.</summary>
    public bool WaitsForOthers(in Outcome<HedgedAttempt> outcome)
    {
        if (_call.CallerToken.IsCancellationRequested)
        {
            return false;
        }

        if (outcome.Result?.Result is not { } result)
        {
            // The attempt could not even begin.
            _stopped = true;
            return true;
        }

        if (!result.IsFailure || result.IsFinal)
        {
            // Refused, broken on this side, or told not to come again: another attempt would fare no better.
            _stopped = true;
        }

        if (result.RetryAfter is { } asked)
        {
            HoldBack(asked < _longestWait ? asked : _longestWait);
        }

        return result.End != AttemptEnd.Succeeded;
    }

    /// <summary>The call's result; what is left of the other attempts is cancelled already and is let go.</summary>
    /// <param name="accepted">What Polly took; <see langword="null"/>: the caller had left before the first attempt.</param>
    public AttemptResult Take(HedgedAttempt? accepted)
    {
        var chosen = _call.CallerToken.IsCancellationRequested || accepted?.Result?.End == AttemptEnd.Succeeded ? accepted : Best();
        foreach (var attempt in _attempts)
        {
            if (attempt != chosen || attempt.Result is null)
            {
                attempt.Abandon();
            }
        }

        return chosen?.Result ?? HedgedAttempt.Cancelled(_call);
    }

    // An answer, be it a failure, tells the caller more than an exception; else what failed first.
    private HedgedAttempt? Best() =>
        _attempts.Find(static attempt => attempt.Result is { Response: not null })
        ?? _attempts.Find(static attempt => attempt.Result is { IsFailure: true })
        ?? _attempts.Find(static attempt => attempt.Result is not null);

    private AttemptResult? LastFailure() => _attempts.FindLast(static attempt => attempt.Result is { IsFailure: true })?.Result;

    private HedgedAttempt Add(int number, long notBefore)
    {
        var attempt = new HedgedAttempt(_call, _call.Replay!.Clone(_call.Request), number, notBefore);
        _attempts.Add(attempt);
        return attempt;
    }

    // The latest that any of the answers has asked for.
    private void HoldBack(TimeSpan wait)
    {
        var until = _call.Clock.Timestamp() + _call.Clock.ToTimestampTicks(wait);
        for (var known = Volatile.Read(ref _notBefore); known < until;)
        {
            var seen = Interlocked.CompareExchange(ref _notBefore, until, known);
            known = seen == known ? until : seen;
        }
    }

    private TimeSpan WaitAt(long now) => Volatile.Read(ref _notBefore) is var until && until > now ? _call.Clock.ToTimeSpan(until - now) : TimeSpan.Zero;

    private static TimeSpan DelayOf(OutboundCall call, HedgingPolicy policy) =>
        (policy.Quantile is { } quantile ? call.Authority.Latency.Quantile(quantile) : null) ?? policy.Delay ?? Timeout.InfiniteTimeSpan;
}
