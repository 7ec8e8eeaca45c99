namespace ResilientHost.Tests.CircuitBreaking;

/// <summary>
/// The breaker's semantics as slowly and plainly as they can be written: every outcome is kept, every question is answered by
/// counting. Time is a number of tenths of the window, so ages are exact. No jitter.
/// </summary>
internal sealed class ReferenceCircuit(ReferenceCircuit.Rules rules)
{
    private readonly List<(int At, bool Failed, bool Slow)> _log = [];
    private readonly List<(int Number, int At)> _probes = [];
    private readonly List<(bool Failed, bool Slow)> _results = [];
    private int _reopens;
    private int _row;
    private int? _openUntil;
    private int _lastProbe;

    public sealed record Rules(
        double? FailureRatio, double? SlowRatio, int SlowAfter, int Minimum, int WindowSize, int Consecutive, int Break, int MaxBreak, int Probes, int Patience);

    public sealed record Ticket(int Era, int Probe, int At);

    public int Now { get; private set; }

    public int Era { get; private set; } = 1;

    public CircuitState State { get; private set; } = CircuitState.Closed;

    public List<string> Events { get; } = [];

    public long Refused { get; private set; }

    public int? RetryAfter => State == CircuitState.Open ? _openUntil - Now : null;

    public (int Calls, int Failures, int Slow) Counts => State switch
    {
        CircuitState.Closed => (InWindow.Count, InWindow.Count(o => o.Failed), InWindow.Count(o => o.Slow)),
        CircuitState.HalfOpen => (_results.Count, _results.Count(o => o.Failed), _results.Count(o => o.Slow)),
        _ => (0, 0, 0),
    };

    private List<(int At, bool Failed, bool Slow)> InWindow =>
        rules.WindowSize > 0 ? [.. _log.TakeLast(rules.WindowSize)] : [.. _log.Where(o => Now - o.At < 10)];

    public void Advance(int by) => Now += by;

    /// <summary>What anyone who looks would see: moves by time come first.</summary>
    public void Look()
    {
        while (true)
        {
            if (State == CircuitState.Open && Now >= _openUntil)
            {
                Go(CircuitState.HalfOpen, CircuitTransitionCause.BreakElapsed, _openUntil.Value);
            }
            else if (State == CircuitState.HalfOpen && _probes.Count > 0 && Now >= _probes.Min(p => p.At) + rules.Patience)
            {
                Reopen(CircuitTransitionCause.ProbesTimedOut, _probes.Min(p => p.At) + rules.Patience);
            }
            else
            {
                return;
            }
        }
    }

    public Ticket? Enter()
    {
        Look();
        if (State == CircuitState.Closed)
        {
            return new Ticket(Era, 0, Now);
        }

        if (State == CircuitState.HalfOpen && _results.Count + _probes.Count < rules.Probes)
        {
            _probes.Add((++_lastProbe, Now));
            return new Ticket(Era, _lastProbe, Now);
        }

        Refused++;
        return null;
    }

    public void Exit(Ticket ticket, CallOutcome outcome)
    {
        if (ticket.Era != Era || (outcome == CallOutcome.Ignored && ticket.Probe == 0))
        {
            return;
        }

        Look();
        if (ticket.Era != Era)
        {
            return;
        }

        var failed = outcome == CallOutcome.Failed;
        var slow = rules.SlowRatio is not null && Now - ticket.At >= rules.SlowAfter;
        if (State == CircuitState.Closed)
        {
            _log.Add((Now, failed, slow));
            _row = failed ? _row + 1 : 0;
            var (calls, failures, slowCalls) = Counts;
            CircuitTransitionCause? cause =
                calls >= rules.Minimum && (double)failures / calls >= rules.FailureRatio ? CircuitTransitionCause.FailureRatio
                : calls >= rules.Minimum && (double)slowCalls / calls >= rules.SlowRatio ? CircuitTransitionCause.SlowCallRatio
                : rules.Consecutive > 0 && _row >= rules.Consecutive ? CircuitTransitionCause.ConsecutiveFailures
                : null;
            if (cause is { } trigger)
            {
                Go(CircuitState.Open, trigger, Now);
                _openUntil = Now + rules.Break;
            }
        }
        else if (State == CircuitState.HalfOpen && _probes.RemoveAll(p => p.Number == ticket.Probe) == 1 && outcome != CallOutcome.Ignored)
        {
            _results.Add((failed, slow));
            if (Fails(_results))
            {
                Reopen(CircuitTransitionCause.ProbesFailed, Now);
            }
            else if (!Fails([.. _results, .. Enumerable.Repeat((true, true), rules.Probes - _results.Count)]))
            {
                _reopens = 0;
                Go(CircuitState.Closed, CircuitTransitionCause.ProbesSucceeded, Now);
            }
        }
    }

    public void Isolate()
    {
        Look();
        if (State != CircuitState.Isolated)
        {
            Go(CircuitState.Isolated, CircuitTransitionCause.Manual, Now);
        }
    }

    public void Reset()
    {
        Look();
        _reopens = 0;
        Clear();
        if (State != CircuitState.Closed)
        {
            Go(CircuitState.Closed, CircuitTransitionCause.Manual, Now);
        }
    }

    public void ForceOpen(int? duration)
    {
        Look();
        if (State == CircuitState.Isolated)
        {
            return;
        }

        if (State != CircuitState.Open)
        {
            _reopens += State == CircuitState.HalfOpen ? 1 : 0;
            Go(CircuitState.Open, CircuitTransitionCause.Manual, Now);
        }

        _openUntil = Now + (duration ?? rules.Break);
    }

    private bool Fails(IReadOnlyList<(bool Failed, bool Slow)> results)
    {
        var failures = (double)results.Count(r => r.Failed) / rules.Probes;
        var slow = (double)results.Count(r => r.Slow) / rules.Probes;
        return (rules.FailureRatio is { } ratio ? failures >= ratio : rules.Consecutive > 0 && failures > 0) || slow >= rules.SlowRatio;
    }

    private void Reopen(CircuitTransitionCause cause, int at)
    {
        _reopens++;
        Go(CircuitState.Open, cause, at);
        _openUntil = at + (int)Math.Min(rules.MaxBreak, rules.Break * Math.Pow(2, _reopens));
    }

    private void Go(CircuitState to, CircuitTransitionCause cause, int at)
    {
        Era++;
        Events.Add($"{State}>{to} {cause} era {Era} at {at}");
        State = to;
        _openUntil = null;
        Clear();
        _probes.Clear();
        _results.Clear();
    }

    private void Clear()
    {
        _log.Clear();
        _row = 0;
    }
}
