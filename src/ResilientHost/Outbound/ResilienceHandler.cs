using System.Runtime.CompilerServices;
using ResilientHost.Propagation;

namespace ResilientHost.Outbound;

/// <summary>Puts a client's calls under its layers. Thread-safe; one for each handler chain that the factory makes, over what the client has for the life of the host.</summary>
internal sealed partial class ResilienceHandler(OutboundClient client, OutboundServices services, HttpClientTimeout clientTimeout) : DelegatingHandler
{
    /// <summary>The name that its layers go by.</summary>
    public string Name => client.Name;

    // Handlers of the application's that stand further in may keep an attempt's token, which must not come back as another call's.
    private bool _mayReuseTokens = true;

    /// <summary>Bounds the time to connect of what sends, where nobody said how long that may take, and looks on at its handshakes.</summary>
    /// <param name="primary">Not in use yet, unless it is shared.</param>
    /// <param name="isLast">Whether no handler of the application's stands between.</param>
    public void SetUp(HttpMessageHandler primary, bool isLast)
    {
        _mayReuseTokens = isLast;
        if (primary is SocketsHttpHandler transport && transport.ConnectTimeout == Timeout.InfiniteTimeSpan && client.Policy.ConnectTimeout is { } limit)
        {
            try
            {
                transport.ConnectTimeout = limit;
            }
            catch (InvalidOperationException)
            {
                // One handler for several clients, and in use already: what it was first used with holds.
            }
        }

        services.Certificates.Observe(client, primary);
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendFromAnyContext(request, isSynchronous: false, cancellationToken);

    // Nothing is awaited on the way of a call that neither waits in a queue nor is made again: all of it happens on the caller's thread.
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendFromAnyContext(request, isSynchronous: true, cancellationToken).GetAwaiter().GetResult();

    // What is awaited here must not ask for a thread that may be blocked until the call is over (a Blazor circuit's, a window's). Whoever awaits the call comes back to its own context all the same.
    private Task<HttpResponseMessage> SendFromAnyContext(HttpRequestMessage request, bool isSynchronous, CancellationToken cancellationToken)
    {
        if (SynchronizationContext.Current is not { } context)
        {
            return SendAsync(request, isSynchronous, cancellationToken);
        }

        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return SendAsync(request, isSynchronous, cancellationToken);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, bool isSynchronous, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var policy = client.Policy;
        return policy.Enabled && request.RequestUri is { IsAbsoluteUri: true } uri && AuthorityKey.IsHttp(uri)
            ? SendProtectedAsync(request, uri, policy, isSynchronous, cancellationToken)
            : PassAsync(request, isSynchronous, cancellationToken);
    }

    // Not async: what is answered at once is answered with the transport's own task. Whatever changes the execution context runs inside of asynchronous methods further in, which put it back.
    private Task<HttpResponseMessage> SendProtectedAsync(
        HttpRequestMessage request, Uri uri, HttpClientPolicy policy, bool isSynchronous, CancellationToken cancellationToken)
    {
        OutboundCall? call = null;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            call = Begin(request, uri, policy, isSynchronous, cancellationToken);
            call.Follow(SendAsync(call));
            if (!call.Sending.IsCompletedSuccessfully)
            {
                return FinishAsync(call);
            }

            var result = call.Sending.Result;
            if (result.End != AttemptEnd.Succeeded || call.Answer is not { } answer || !ReferenceEquals(answer.Result, result.Response))
            {
                call.Follow(new(result));
                return FinishAsync(call);
            }

            Conclude(call, result);
            call.ReleaseReplay();
            services.Calls.Return(call);
            return answer;
        }
        catch (Exception exception)
        {
            return Faulted(call, exception);
        }
    }

    // As an asynchronous method's finally would do it, and its task. The call is not used again: only one that went as it should is known to be nobody else's.
    private static Task<HttpResponseMessage> Faulted(OutboundCall? call, Exception exception)
    {
        try
        {
            call?.ReleaseReplay();
        }
        catch (Exception another)
        {
            exception = another;
        }

        var faulted = AsyncTaskMethodBuilder<HttpResponseMessage>.Create();
        faulted.SetException(exception);
        return faulted.Task;
    }

    private static async Task<HttpResponseMessage> FinishAsync(OutboundCall call)
    {
        AttemptResult result;
        try
        {
            // Handed over in the call, which is used again; a parameter more would make the caller's task so much larger.
            var sent = await call.Sending;
            if (sent.IsFailure && call.MaxAttempts > 1 && !call.IsHedged)
            {
                sent = await call.Services.Retries.ContinueAsync(call, sent);
            }

            result = Conclude(call, sent);
        }
        finally
        {
            call.ReleaseReplay();
        }

        call.Services.Calls.Return(call);
        return result.Unwrap();
    }

    private static ValueTask<AttemptResult> SendAsync(OutboundCall call)
    {
        if (call.Ends <= call.Started)
        {
            return new(OverBefore(call));
        }

        if (call.MaxAttempts > 1)
        {
            var preparing = PrepareReplayAsync(call);
            if (!preparing.IsCompletedSuccessfully)
            {
                return SendAsync(call, preparing);
            }
        }

        return SendPreparedAsync(call);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<AttemptResult> SendAsync(OutboundCall call, ValueTask preparing)
    {
        await preparing;
        return await SendPreparedAsync(call);
    }

    private static ValueTask<AttemptResult> SendPreparedAsync(OutboundCall call)
    {
        call.IsHedged = MayHedge(call);
        return call.IsHedged ? call.Services.Hedging.SendAsync(call) : call.AttemptAsync(call.Request, 1, isHedge: false, call.CallerToken);
    }

    private static bool MayHedge(OutboundCall call) => call.Policy.Hedging is not null && call.MaxAttempts > 1 && RetrySafety.IsSafe(call.Request.Method);

    private OutboundCall Begin(HttpRequestMessage request, Uri uri, HttpClientPolicy policy, bool isSynchronous, CancellationToken cancellationToken)
    {
        RequestResilience? resilience = null;
        if (RequestResilience.IsInUse && request.Options.TryGetValue(RequestResilience.Key, out resilience))
        {
            RequestResilienceBounds.Check(resilience);
        }

        var authority = client.Of(uri);
        var inbound = InboundCall.Current;
        var started = services.Clock.Timestamp();
        var total = resilience?.TotalTimeout is { } asked ? asked : Shorter(policy.TotalTimeout, clientTimeout.Value);
        var ends = total is { } limit && limit != Timeout.InfiniteTimeSpan ? started + services.Clock.ToTimestampTicks(limit) : long.MaxValue;
        var deadline = inbound?.Deadline ?? long.MaxValue;
        var call = services.Calls.Rent();
        call.Handler = this;
        call.Services = services;
        call.Client = client;
        call.Authority = authority;
        call.Policy = policy;
        call.Resilience = resilience;
        call.Inbound = inbound;
        call.Request = request;
        call.CallerToken = cancellationToken;
        call.IsSynchronous = isSynchronous;
        call.Started = started;
        call.Ends = Math.Min(ends, deadline);
        call.EndReason = deadline < ends ? RefusalReason.DeadlineExceeded : RefusalReason.Timeout;
        call.CutAs = deadline < ends && inbound!.IsCallersTime ? AttemptEnd.DeadlineExceeded : AttemptEnd.TimedOut;
        call.BodyLimit = clientTimeout.IsTakenOver && (resilience?.TotalTimeout ?? clientTimeout.Value) is { } body && body != Timeout.InfiniteTimeSpan ? body : null;
        call.AttemptTimeout = resilience?.AttemptTimeout ?? AttemptTimeoutOf(policy, resilience);
        call.MaxAttempts = MaxAttempts(request, policy, resilience, inbound);
        call.IsHedged = false;
        return call;
    }

    // A request that asks for another total has what follows from that.
    private static TimeSpan AttemptTimeoutOf(HttpClientPolicy policy, RequestResilience? resilience) => resilience?.TotalTimeout is { } total
        ? HttpClientPolicy.AttemptTimeoutOf(policy.AskedAttemptTimeout, total == Timeout.InfiniteTimeSpan ? null : total)
        : policy.AttemptTimeout;

    private static int MaxAttempts(HttpRequestMessage request, HttpClientPolicy policy, RequestResilience? resilience, InboundCall? inbound)
    {
        // Who calls us makes its attempts again already: if we did as well, each service on the way would multiply them.
        if (inbound is { Attempt: > 1 } || !RetrySafety.IsRepeatable(request, resilience, policy.Retry))
        {
            return 1;
        }

        return resilience?.MaxAttempts
            ?? (policy.Hedging is { } hedging && RetrySafety.IsSafe(request.Method) ? hedging.MaxAttempts : policy.Retry.MaxAttempts);
    }

    private static ValueTask PrepareReplayAsync(OutboundCall call)
    {
        call.Replay.Capture(call.Request, isShared: MayHedge(call));
        if (RequestReplayBody.TryPrepare(call.Request.Content, call.Policy.Retry.MaxReplayBytes, out var body))
        {
            Replay(call, body);
            return ValueTask.CompletedTask;
        }

        // Whoever is about to be refused need not read megabytes first. Should the circuit let it through after all, its body goes out as it is, once.
        if (call.Authority.CircuitBreaker.IsRefusing(out _))
        {
            call.MaxAttempts = 1;
            return ValueTask.CompletedTask;
        }

        call.Keep();
        return KeepBodyAsync(call, call.Request.Content!);
    }

    private static async ValueTask KeepBodyAsync(OutboundCall call, HttpContent content) => Replay(call, await ReadBodyAsync(call, content));

    private static void Replay(OutboundCall call, in RequestReplayBody body)
    {
        call.Replay.ReplaceContent(call.Request, body.Content);
        if (!body.IsReplayable)
        {
            call.MaxAttempts = 1;
        }
    }

    private static async ValueTask<RequestReplayBody> ReadBodyAsync(OutboundCall call, HttpContent content)
    {
        var reader = new RequestReplayReader(call.Clock.Provider, call.Left(call.Clock.Timestamp()), call.CallerToken);
        try
        {
            return await RequestReplayBody.PrepareAsync(content, call.Policy.Retry.MaxReplayBytes, reader);
        }
        catch (OperationCanceledException) when (call.CallerToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(call.CallerToken);
        }
        catch (OperationCanceledException over) when (reader.Token.IsCancellationRequested)
        {
            throw Refusal(call, call.EndReason, over);
        }
    }

    private static TimeSpan? Shorter(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other : one;
}
