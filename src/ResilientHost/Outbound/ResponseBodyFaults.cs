using System.Globalization;

namespace ResilientHost.Outbound;

/// <summary>What is done about a body that fails after its attempt has ended: its authority's circuit counts one more failed call, once for each body. Thread-safe.</summary>
/// <param name="client">Whose call it was.</param>
/// <param name="authority">Who sent the body; <see langword="null"/>: the client's layers are switched off, and nobody is told.</param>
/// <param name="telemetry">Told of it too.</param>
/// <param name="minimumRate">The slowest rate, for the message; <see langword="null"/>: only the time says when it is too much.</param>
/// <param name="limit">The time that the client was given, for the message.</param>
internal sealed class ResponseBodyFaults(OutboundClient client, OutboundAuthority? authority, OutboundTelemetry telemetry, double? minimumRate, TimeSpan? limit)
{
    private int _told;

    /// <summary>The body came too slowly.</summary>
    /// <param name="exception">How its read ended.</param>
    /// <param name="isTimeUp">Whether its time was over, however fast it came.</param>
    /// <returns>What the reader gets.</returns>
    public Exception TooSlow(Exception? exception, bool isTimeUp)
    {
        Tell(OutboundFailures.BodyTooSlow);
        if (authority is null)
        {
            return HttpClientTimeout.Elapsed(limit ?? Timeout.InfiniteTimeSpan, exception, CancellationToken.None);
        }

        return isTimeUp || minimumRate is null
            ? new OutboundRefusedException(new Refusal(RefusalReason.Timeout, client.LayerName, null), new TimeoutException("The response's body did not come in time.", exception))
            : new HttpIOException(
                HttpRequestError.Unknown,
                string.Create(CultureInfo.InvariantCulture, $"The body of a response to '{client.LayerName}' came slower than {minimumRate} bytes per second."),
                exception);
    }

    /// <summary>The body ended before it was complete.</summary>
    public void BrokeOff(Exception exception) => Tell(OutboundFailures.Of(exception));

    private void Tell(string failure)
    {
        if (authority is null || Interlocked.Exchange(ref _told, 1) != 0)
        {
            return;
        }

        // Only a closed circuit learns anything from it: an open one knows, and the one probe of a half-open one is for an attempt.
        var breaker = authority.CircuitBreaker;
        if (breaker.State == CircuitState.Closed && breaker.TryEnter(out var permit, out _))
        {
            breaker.Exit(permit, CallOutcome.Failed);
        }

        telemetry.BodyFailed(client.Name, failure);
    }
}
