namespace ResilientHost.Outbound;

internal sealed partial class ResilienceHandler
{
    /// <summary>What the caller gets of the last attempt; on its way out of the layers.</summary>
    private static AttemptResult Conclude(OutboundCall call, in AttemptResult result)
    {
        // Handlers further out may send the message again, be it for a 401: what this call wrote into it must not look like the application's own word then.
        if (call.IsMarked)
        {
            call.Own.Restore(call.Request);
        }

        if (result.End == AttemptEnd.Succeeded)
        {
            return result;
        }

        if (call.HasReplay)
        {
            if (result.Response is null)
            {
                call.Replay.Restore(call.Request);
            }
            else
            {
                call.Replay.RestoreHeaders(call.Request);
            }
        }

        if (result.End == AttemptEnd.EndpointTimedOut)
        {
            call.Inbound?.NoteDependencyFailure();
        }

        if (result.End is AttemptEnd.Cancelled or AttemptEnd.EndpointTimedOut)
        {
            return result with { Exception = new OperationCanceledException("The call was cancelled by its caller.", result.Exception, call.CallerToken) };
        }

        // A request that must not be made again has not been tried as often as it could: its caller may know better.
        if (result.End is AttemptEnd.Refused or AttemptEnd.DeadlineExceeded || (result.IsFailure && (result.IsFinal || call.MaxAttempts > 1 || call.Inbound is { Attempt: > 1 })))
        {
            call.Inbound?.NoteDependencyFailure();
        }

        return result;
    }

    /// <summary>A call without layers, under the timeout that its client was given.</summary>
    private async Task<HttpResponseMessage> PassAsync(HttpRequestMessage request, bool isSynchronous, CancellationToken cancellationToken)
    {
        if (clientTimeout.Value is not { } limit)
        {
            return isSynchronous ? base.Send(request, cancellationToken) : await base.SendAsync(request, cancellationToken);
        }

        using var source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, services.Clock.Provider);
        await using var registration = cancellationToken.UnsafeRegister(AttemptCancellations.Cancel, source);
        AttemptCancellations.Arm(source, limit);
        var time = new ResponseBodyTime(services.Clock, limit, services.Clock.Timestamp() + services.Clock.ToTimestampTicks(limit), cancellationToken);
        var method = request.Method;
        try
        {
            var response = isSynchronous ? base.Send(request, source.Token) : await base.SendAsync(request, source.Token);
            if (response is not null && clientTimeout.IsTakenOver)
            {
                ResponseBodyGuard.Bound(response, method, client, services, time);
            }

            return response!;
        }
        catch (OperationCanceledException exception) when (source.IsCancellationRequested)
        {
            // As the client itself would have put it.
            throw cancellationToken.IsCancellationRequested
                ? new TaskCanceledException(exception.Message, exception, cancellationToken)
                : HttpClientTimeout.Elapsed(limit, exception, source.Token);
        }
    }
}
