namespace ResilientHost.Outbound;

/// <summary>What attempts tell of themselves. Thread-safe; never throws.</summary>
internal sealed class OutboundTelemetry
{
    /// <summary>An attempt begins, in the context in which it runs: a span started here is the parent of the transport's.</summary>
    public AttemptTelemetry Begin(OutboundCall call, HttpRequestMessage request, int number, bool isHedge) => default;

    /// <summary>A failed attempt is made again after a wait; in the caller's context.</summary>
    /// <param name="call">The call.</param>
    /// <param name="number">Of the attempt to come.</param>
    /// <param name="failed">How the one before ended.</param>
    /// <param name="delay">The wait.</param>
    public void Retrying(OutboundCall call, int number, in AttemptResult failed, TimeSpan delay)
    {
    }

    /// <summary>There would have been another attempt, but for the budget.</summary>
    public void BudgetExhausted(OutboundCall call)
    {
    }
}

/// <summary>One attempt under observation. The default value observes nothing.</summary>
internal readonly struct AttemptTelemetry
{
    /// <summary>The attempt is over; once, in the context in which it began.</summary>
    public void End(in AttemptResult result)
    {
    }
}
