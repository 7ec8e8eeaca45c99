using ResilientHost.Hosting;
using ResilientHost.Propagation;

namespace ResilientHost.Outbound;

/// <summary>One call through a client's layers: what it began with, and keeps to its end.</summary>
/// <remarks>
/// What it holds does not change once it is being sent; attempts of it may run side by side. Used again for another call (<see cref="OutboundCalls"/>) unless somebody has said that they keep it:
/// whoever may still look at it once its caller has the answer sets <see cref="IsKept"/> before they do.
/// </remarks>
internal sealed class OutboundCall
{
    private RequestReplay? _replay;
    private bool _hasReplay;
    private OwnHeaders? _own;

    public ResilienceHandler Handler { get; set; } = null!;

    public OutboundServices Services { get; set; } = null!;

    public OutboundClient Client { get; set; } = null!;

    public OutboundAuthority Authority { get; set; } = null!;

    public HttpClientPolicy Policy { get; set; } = null!;

    /// <summary>What this request asks for.</summary>
    public RequestResilience? Resilience { get; set; }

    /// <summary>The request that is being served meanwhile.</summary>
    public InboundCall? Inbound { get; set; }

    /// <summary>What the caller sent; each attempt in a row has it as it was at first.</summary>
    public HttpRequestMessage Request { get; set; } = null!;

    /// <summary>Of the caller, for the whole call.</summary>
    public CancellationToken CallerToken { get; set; }

    /// <summary>Whether the caller waits on its thread.</summary>
    public bool IsSynchronous { get; set; }

    /// <summary>When it began, as a timestamp of the host's clock.</summary>
    public long Started { get; set; }

    /// <summary>When it has to be over; <see cref="long.MaxValue"/>: it may take as long as it takes.</summary>
    public long Ends { get; set; }

    /// <summary>What its end means: <see cref="RefusalReason.Timeout"/>, or <see cref="RefusalReason.DeadlineExceeded"/> where the time of the inbound request is what is shorter.</summary>
    public RefusalReason EndReason { get; set; }

    /// <summary>How an attempt ends that the call's end cuts short: as timed out, or as cut by the inbound request's caller.</summary>
    public AttemptEnd CutAs { get; set; } = AttemptEnd.TimedOut;

    /// <summary>How long the call may take with its response's body, where the client's own timeout did cover that; <see langword="null"/>: as long as it takes.</summary>
    public TimeSpan? BodyLimit { get; set; }

    /// <summary>How long one attempt may take.</summary>
    public TimeSpan AttemptTimeout { get; set; }

    /// <summary>Attempts that may be made, the first included; 1 for a request that must not be made again.</summary>
    public int MaxAttempts { get; set; }

    /// <summary>What it takes to send the request again; of use where <see cref="MaxAttempts"/> is above 1.</summary>
    public RequestReplay Replay
    {
        get
        {
            _hasReplay = true;
            return _replay ??= new();
        }
    }

    /// <summary>Whether <see cref="Replay"/> keeps anything.</summary>
    public bool HasReplay => _hasReplay;

    /// <summary>What the application had set of the headers that this layer writes. First asked for before the first of them is written.</summary>
    public OwnHeaders Own => _own ??= OwnHeaders.Of(Request);

    /// <summary>Whether anything may have been written into <see cref="Request"/>.</summary>
    public bool IsMarked => _own is not null;

    /// <summary>The answer of the attempt before, until the next one is let through.</summary>
    public HttpResponseMessage? Held { get; set; }

    /// <summary>Whether its attempts run side by side.</summary>
    public bool IsHedged { get; set; }

    /// <summary>What comes of it, but for what is made again; to be awaited once.</summary>
    public ValueTask<AttemptResult> Sending { get; private set; }

    /// <summary>What the transport answered the first attempt with, where it did so at once: as good an answer to the caller as a task of our own.</summary>
    public Task<HttpResponseMessage>? Answer { get; set; }

    /// <summary>Whether somebody may look at it when the call is over, so that it must not become another call. For good once it is set.</summary>
    public bool IsKept { get; private set; }

    public MonotonicClock Clock => Services.Clock;

    /// <summary>What is left of the call's time; <see cref="TimeSpan.MaxValue"/> where it has no end, zero or less where it is over.</summary>
    public TimeSpan Left(long now)
    {
        if (Ends == long.MaxValue)
        {
            return TimeSpan.MaxValue;
        }

        return Ends > now ? Clock.ToTimeSpan(Ends - now) : TimeSpan.Zero;
    }

    /// <summary>What bounds its response's body; made for the few whose body was not read ahead.</summary>
    public ResponseBodyTime? BodyTime() => BodyLimit is { } limit ? new(Clock, limit, Started + Clock.ToTimestampTicks(limit), CallerToken) : null;

    /// <summary>Takes what is to come of it, for whoever awaits that.</summary>
    public void Follow(ValueTask<AttemptResult> sending) => Sending = sending;

    /// <summary>From now on it is this call's alone, whatever comes of it.</summary>
    public void Keep() => IsKept = true;

    /// <summary>Gives the message back what was taken off it to be sent again.</summary>
    public void ReleaseReplay()
    {
        if (_hasReplay)
        {
            _replay!.Release(Request);
        }
    }

    /// <summary>Forgets everything: nobody may find a request, an answer or a token in what waits for its next call.</summary>
    public void Clear()
    {
        if (_hasReplay)
        {
            _replay!.Clear();
            _hasReplay = false;
        }

        _own = null;
        Handler = null!;
        Services = null!;
        Client = null!;
        Authority = null!;
        Policy = null!;
        Resilience = null;
        Inbound = null;
        Request = null!;
        CallerToken = default;
        Held = null;
        Answer = null;
        Sending = default;
    }

    /// <summary>Disposes the answer of the attempt before: nobody will see it.</summary>
    public void LetGo()
    {
        AttemptResult.Discard(Held);
        Held = null;
    }

    /// <summary>What comes of a call, or an attempt at it, whose caller has cancelled.</summary>
    public AttemptResult Cancelled(Exception exception) =>
        new(Inbound is { } inbound && inbound.IsEndpointsTimeOver(Clock.Timestamp()) ? AttemptEnd.EndpointTimedOut : AttemptEnd.Cancelled, null, exception);

    /// <summary>Makes one attempt: bulkhead, circuit, timeout, transport, what there is to read of the body. Never throws; how it ended is what it returns.</summary>
    /// <param name="request">The caller's, or a clone of it.</param>
    /// <param name="number">From 1.</param>
    /// <param name="isHedge">Whether another attempt runs beside it.</param>
    /// <param name="cancellationToken">The caller's, or one that also ends losers.</param>
    public ValueTask<AttemptResult> AttemptAsync(HttpRequestMessage request, int number, bool isHedge, CancellationToken cancellationToken) =>
        Handler.AttemptAsync(this, request, number, isHedge, cancellationToken);
}
