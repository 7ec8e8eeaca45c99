namespace ResilientHost.Outbound;

/// <summary>Reads what belongs to an attempt of a response's body, and watches over the rest.</summary>
internal static class ResponseBodyGuard
{
    /// <summary>Completes at once when there is nothing to do. What it throws ends the attempt as an exception of the transport does; the response is then disposed by the caller.</summary>
    /// <param name="response">The response; its content may be replaced.</param>
    /// <param name="call">The call.</param>
    /// <param name="attemptToken">Cancelled when the attempt's time is over; not to be kept.</param>
    public static ValueTask GuardAsync(HttpResponseMessage response, OutboundCall call, CancellationToken attemptToken) => ValueTask.CompletedTask;
}
