using System.Globalization;

namespace ResilientHost.Outbound;

/// <summary>What is done about a body that fails after its attempt has ended: its authority's circuit counts one more failed call, once for each body. Thread-safe.</summary>
/// <param name="client">Whose call it was.</param>
/// <param name="authority">Who sent the body.</param>
/// <param name="telemetry">Told of it too.</param>
/// <param name="minimumRate">The slowest rate, for the message.</param>
internal sealed class ResponseBodyFaults(OutboundClient client, OutboundAuthority authority, OutboundTelemetry telemetry, double? minimumRate)
{
    private int _told;

    /// <summary>The body came too slowly.</summary>
    /// <param name="exception">How its read ended.</param>
    /// <returns>What the reader gets.</returns>
    public HttpIOException TooSlow(Exception? exception)
    {
        var slow = new HttpIOException(
            HttpRequestError.Unknown,
            string.Create(CultureInfo.InvariantCulture, $"The body of a response to '{client.LayerName}' came slower than {minimumRate} bytes per second."),
            exception);
        Tell(OutboundFailures.BodyTooSlow);
        return slow;
    }

    /// <summary>The body ended before it was complete.</summary>
    public void BrokeOff(Exception exception) => Tell(OutboundFailures.Of(exception));

    private void Tell(string failure)
    {
        if (Interlocked.Exchange(ref _told, 1) != 0)
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
