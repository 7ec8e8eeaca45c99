using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using ResilientHost.Fallbacks;
using ResilientHost.Hosting;
using ResilientHost.Propagation;
using ResilientHost.Refusals;
using ResilientHost.Timeouts;

namespace ResilientHost.Pipeline;

/// <summary>What one request holds while it is inside the layers. Pooled; owned by one request at a time.</summary>
internal sealed class RequestState(LayerGates gates, MonotonicClock clock, TimeoutMetrics timeoutMetrics, TimeoutLog timeoutLog) : IOverrunListener, IDisposable
{
    private RequestTimeout? _timeout;
    private int _hasLeftCircuit;
    private TimeSpan _limit;
    private TimeSpan _grace;
    private Activity? _activity;
    private InboundCall? _call;
    private bool _isCallersTime;
    private RequestFallback? _fallback;
    private bool _fallsBack;

    // Beside the reference, which stays from request to request: to write one costs the collector's barrier.
    private bool _isLimited;

    /// <summary>Where it belongs when no request has it.</summary>
    public RequestStatePool? Pool { get; init; }

    public HttpContext Context { get; private set; } = null!;

    public EndpointPlan Plan { get; private set; } = null!;

    /// <summary>The endpoint's task, where it did not complete at once.</summary>
    public Task Endpoint { get; set; } = Task.CompletedTask;

    public ResponseBaseline Baseline { get; } = new();

    /// <summary>Whether recovery was on when the endpoint was called: a request keeps to the end what it began with.</summary>
    public bool Recovers { get; set; }

    /// <summary>Middleware further out holds the response body: an exception must tell it of an answer that was cut off.</summary>
    public bool TellsOuter { get; set; }

    /// <summary>A callback of the response may still hold this state after the request's own frame has ended: dropped, not pooled.</summary>
    public bool IsShared { get; set; }

    /// <summary>The timeout of this request, while it has one.</summary>
    public RequestTimeout? Timeout => _isLimited ? _timeout : null;

    /// <summary>The request was limited in time, and its endpoint has returned.</summary>
    public bool HadTimeout { get; private set; }

    /// <summary>The timeout ran out before the response started.</summary>
    public bool HasTimedOut { get; private set; }

    /// <summary>The endpoint did not return within the grace either, and the connection has been aborted.</summary>
    public bool HasOverrun { get; private set; }

    /// <summary>Why the request is refused whose time has run out: its own endpoint's, or that of a caller who no longer waits.</summary>
    public Refusal TimeoutRefusal => new(_isCallersTime ? RefusalReason.DeadlineExceeded : RefusalReason.Timeout, Plan.Key, RetryAfter: null);

    /// <summary>How a request counts that did not end in time. Time that a caller did not leave says as little of the endpoint as a caller who hung up; ignoring the cancellation does.</summary>
    public CallOutcome TimeoutOutcome => _isCallersTime && !HasOverrun ? CallOutcome.Ignored : CallOutcome.Failed;

    /// <summary>Stands before the response's body, where a failure could be replaced or a success is recorded.</summary>
    public GuardedResponseBody? Body { get; private set; }

    /// <summary>Whether an answer of 500 or above is held back and may be replaced.</summary>
    public bool ReplacesFailures { get; private set; }

    /// <summary>Keeps the good response for later, while this is due.</summary>
    public StaleRecording? Recording { get; private set; }

    /// <summary>Keeps what the endpoint reads of the request's body, for a fallback that binds it.</summary>
    public ReplayableRequestBody? RequestBody { get; set; }

    /// <summary>The rules that fallbacks were under when the request came; <see langword="null"/> when it has none.</summary>
    public FallbackPolicy? FallbackPolicy { get; set; }

    /// <summary>What the request asked for when it came, where a response that was kept may answer it.</summary>
    public uint? AskedFor { get; set; }

    /// <summary>Whether authorization had let the request pass before it came to the layers.</summary>
    public bool WasAuthorized { get; set; }

    /// <summary>The endpoint has returned: what the response does now is not its doing.</summary>
    public bool HasReturned { get; private set; }

    /// <summary><see cref="LeaveLayers"/> of whichever request has this, made once.</summary>
    public Action<CallOutcome> Leave => field ??= LeaveLayers;

    // A field: the gates change it in place.
    public Admission Admission;

    public void Begin(HttpContext context, EndpointPlan plan, in Admission admission)
    {
        Context = context;
        Plan = plan;
        Admission.Take(admission);
    }

    /// <summary>Limits the request to the endpoint's time, or to what its caller has left where that is less.</summary>
    public void BeginTimeout(TimeSpan? timeout, TimeSpan grace, InboundCall? call)
    {
        if (timeout is null && call is not { HasCallersDeadline: true })
        {
            return;
        }

        // Half of what a timeout cost was the look at the exact clock. Other clocks are compared with a caller's deadline, and bound by ours.
        var now = call is null ? clock.CoarseTimestampNotBefore() : clock.Timestamp();
        var limit = timeout.GetValueOrDefault();
        if (call is { HasCallersDeadline: true } && clock.Elapsed(now, call.CallersDeadline) is var left && (timeout is null || left < limit))
        {
            _isCallersTime = true;
            limit = left;
        }

        (_limit, _grace, _activity) = (limit, grace, Activity.Current);
        _isLimited = true;
        _timeout ??= new(clock);
        _timeout.Begin(Context, limit, grace, now, this);
        _timeout.Stay();
        if (call is not null && !_isCallersTime && _timeout.IsRunning)
        {
            _call = call;
            call.BeginEndpoint(now + clock.ToTimestampTicks(limit));
        }
    }

    /// <summary>The endpoint says that the request's time is over, a moment before the timer does: one of its calls has found out.</summary>
    public void NoteTimedOut()
    {
        if (!HasTimedOut)
        {
            HasTimedOut = true;
            timeoutMetrics.Expired(Plan.Tag);
            TellTimedOut();
        }
    }

    /// <summary>What the request falls back on, until this is given back.</summary>
    public RequestFallback BeginFallback(FallbackRunner runner, EndpointFallbacks fallbacks, FallbackPolicy policy)
    {
        _fallsBack = true;
        _fallback ??= new();
        _fallback.Begin(runner, Context, fallbacks, policy, Baseline);
        return _fallback;
    }

    public void BeginGuard(bool replacesFailures, StaleRecording? recording)
    {
        ReplacesFailures = replacesFailures;
        Recording = recording;
        Body = GuardedResponseBody.Attach(Context, replacesFailures, recording);
    }

    /// <summary>Takes everything off the request that stood between the server and the endpoint. No timer touches the request afterwards.</summary>
    /// <param name="hasFailed">Something else will answer: what the endpoint has left running must not find its way into that answer.</param>
    public void EndGuards(bool hasFailed)
    {
        HasReturned = true;
        _call?.EndEndpoint();
        if (Timeout is { } timeout)
        {
            HasTimedOut = timeout.End();
            HasOverrun = HasTimedOut && timeout.HasOverrun;
            if (!timeout.MayBeReused)
            {
                _timeout = null;
                timeout.Dispose();
            }

            _isLimited = false;
            HadTimeout = true;
            if (HasTimedOut)
            {
                TellTimedOut();
            }
        }

        Body?.Detach(mayBeHeld: hasFailed || HasTimedOut);
    }

    public void End()
    {
        if (_fallsBack)
        {
            _fallsBack = false;
            _fallback!.End();
        }

        Context = null!;
        Plan = null!;
        Endpoint = Task.CompletedTask;
        Recovers = false;
        TellsOuter = false;
        HadTimeout = false;
        HasTimedOut = false;
        HasOverrun = false;
        Body = null;
        ReplacesFailures = false;
        Recording = null;
        RequestBody = null;
        FallbackPolicy = null;
        AskedFor = null;
        WasAuthorized = false;
        HasReturned = false;
        _hasLeftCircuit = 0;
        _activity = null;
        _call = null;
        _isCallersTime = false;
        Admission = default;
        Baseline.Clear();
    }

    /// <summary>Stops the timer of one that is not used again. The request has ended; whoever still looks at it may go on doing so.</summary>
    public void Dispose() => _timeout?.Dispose();

    /// <summary>Gives back what the request holds of the layers. What it holds no longer is passed over.</summary>
    public void LeaveLayers(CallOutcome outcome)
    {
        // Only where there is a timer that may leave the circuit at the same time.
        if ((Timeout is null && !HasTimedOut) || TakeCircuit())
        {
            gates.ExitCircuit(Plan, ref Admission, outcome);
        }

        LayerGates.ExitBulkhead(Plan, ref Admission, outcome);
    }

    // Whether the caller is the one to leave the circuit: the frame, or the timer of a request that overran.
    private bool TakeCircuit() => Interlocked.Exchange(ref _hasLeftCircuit, 1) == 0;

    /// <summary>Tells that the time ran out; on the request's own flow, for its trace and span.</summary>
    private void TellTimedOut()
    {
        Activity.Current?.AddEvent(new ActivityEvent(ResilienceDiagnostics.SpanEvents.TimeoutExpired));
        if (!HasOverrun)
        {
            timeoutLog.Expired(Plan.Key, _limit, RequestIdentity.TraceIdOf(Context));
        }
        else
        {
            Activity.Current?.AddEvent(new ActivityEvent(ResilienceDiagnostics.SpanEvents.TimeoutOverrun));
        }
    }

    // Also of a request that never returns.
    void IOverrunListener.OnExpired() => timeoutMetrics.Expired(Plan.Tag);

    // The dependency has been shown to hang: the circuit need not wait for the end of a work that may never end. Its place in the bulkhead is another matter.
    void IOverrunListener.OnOverrun()
    {
        timeoutMetrics.Overran(Plan.Tag);
        timeoutLog.Overran(Plan.Key, _limit, _grace, _activity?.TraceId.ToHexString() ?? "-");
        if (TakeCircuit())
        {
            gates.ExitCircuit(Plan, ref Admission, CallOutcome.Failed);
        }
    }
}
