using ResilientHost.Hosting;
using ResilientHost.Propagation;

namespace ResilientHost.Outbound;

/// <summary>One call through a client's layers: what it began with, and keeps to its end.</summary>
/// <remarks>What it holds does not change once it is being sent; attempts of it may run side by side.</remarks>
internal sealed class OutboundCall
{
    private RequestReplay? _replay;
    private OwnHeaders? _own;

    public required ResilienceHandler Handler { get; init; }

    public required OutboundServices Services { get; init; }

    public required OutboundClient Client { get; init; }

    public required OutboundAuthority Authority { get; init; }

    public required HttpClientPolicy Policy { get; init; }

    /// <summary>What this request asks for.</summary>
    public required RequestResilience? Resilience { get; init; }

    /// <summary>The request that is being served meanwhile.</summary>
    public required InboundCall? Inbound { get; init; }

    /// <summary>What the caller sent; each attempt in a row has it as it was at first.</summary>
    public required HttpRequestMessage Request { get; init; }

    /// <summary>Of the caller, for the whole call.</summary>
    public required CancellationToken CallerToken { get; init; }

    /// <summary>Whether the caller waits on its thread.</summary>
    public required bool IsSynchronous { get; init; }

    /// <summary>When it began, as a timestamp of the host's clock.</summary>
    public required long Started { get; init; }

    /// <summary>When it has to be over; <see cref="long.MaxValue"/>: it may take as long as it takes.</summary>
    public required long Ends { get; init; }

    /// <summary>What its end means: <see cref="RefusalReason.Timeout"/>, or <see cref="RefusalReason.DeadlineExceeded"/> where the time of the inbound request is what is shorter.</summary>
    public required RefusalReason EndReason { get; init; }

    /// <summary>How an attempt ends that the call's end cuts short: as timed out, or as cut by the inbound request's caller.</summary>
    public AttemptEnd CutAs { get; init; } = AttemptEnd.TimedOut;

    /// <summary>How long the call may take with its response's body, where the client's own timeout did cover that; <see langword="null"/>: as long as it takes.</summary>
    public TimeSpan? BodyLimit { get; init; }

    /// <summary>How long one attempt may take.</summary>
    public required TimeSpan AttemptTimeout { get; init; }

    /// <summary>Attempts that may be made, the first included; 1 for a request that must not be made again.</summary>
    public required int MaxAttempts { get; set; }

    /// <summary>What it takes to send the request again; of use where <see cref="MaxAttempts"/> is above 1.</summary>
    public RequestReplay Replay => _replay ??= new();

    /// <summary>Whether <see cref="Replay"/> keeps anything.</summary>
    public bool HasReplay => _replay is not null;

    /// <summary>What the application had set of the headers that this layer writes. First asked for before the first of them is written.</summary>
    public OwnHeaders Own => _own ??= OwnHeaders.Of(Request);

    /// <summary>Whether anything may have been written into <see cref="Request"/>.</summary>
    public bool IsMarked => _own is not null;

    /// <summary>The answer of the attempt before, until the next one is let through.</summary>
    public HttpResponseMessage? Held { get; set; }

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
