using Microsoft.AspNetCore.Http;
using ResilientHost.Callers;

namespace ResilientHost.Degradation;

/// <summary>Turns requests down by their criticality, as many as the service level asks for. Thread-safe.</summary>
/// <param name="control">Tells what is in force.</param>
/// <param name="trusted">Whose criticality may rise.</param>
/// <param name="metrics">Counts.</param>
/// <param name="log">Tells.</param>
/// <param name="random">For requests without an id, and for the wait before the next attempt.</param>
internal sealed class RequestShedder(DegradationControl control, ITrustedCallers trusted, DegradationMetrics metrics, DegradationLog log, Random random)
{
    /// <summary>What refusals are said to come from.</summary>
    public const string Source = "degradation";

    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    /// <summary>Whether any request might be turned down or counted: one memory read. The others need not be asked about.</summary>
    public bool IsActive => control.IsShedding;

    /// <summary>Decides about one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="own">What its endpoint says.</param>
    /// <param name="endpointTag">The endpoint as a tag, capped.</param>
    /// <param name="refusal">Why not, and when to come back.</param>
    /// <returns>Whether it is turned down. Never in shadow mode, where it is only counted.</returns>
    public bool Sheds(HttpContext context, Criticality own, string endpointTag, out Refusal refusal)
    {
        refusal = default;
        var shedding = control.Shedding;
        if (!shedding.IsActive)
        {
            return false;
        }

        var criticality = RequestCriticality.Of(context, own, trusted);
        var ratio = ShedRatio.Of(criticality, shedding.Severity);
        if (ratio <= 0 || RequestDraw.Of(context, random) >= ratio)
        {
            return false;
        }

        metrics.Shed(endpointTag, criticality, shedding);
        if (!shedding.IsEnforced)
        {
            return false;
        }

        log.Shed(endpointTag, criticality, shedding);
        refusal = new Refusal(RefusalReason.Shed, Source, new TimeSpan(random.NextInt64(ShortestWait.Ticks, LongestWait.Ticks + 1)));
        return true;
    }
}
