using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using ResilientHost.Callers;
using ResilientHost.Hosting;
using ResilientHost.Pipeline;

namespace ResilientHost.Propagation;

/// <summary>Finds out what a request's caller says of it, and makes it known to the calls made for it. Thread-safe.</summary>
internal sealed class InboundCalls(ResilienceSettingsSource settings, MonotonicClock clock, ITrustedCallers trusted, IEnumerable<InboundCallReader> readers)
{
    private readonly bool _hasReaders = readers.Any();

    /// <summary>What is to be known of a request; <see langword="null"/> when nobody would want to know, which costs it one look for a header.</summary>
    /// <param name="context">The request.</param>
    /// <param name="plan">The layers.</param>
    /// <param name="headers">The request's headers.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public InboundCall? Of(HttpContext context, EndpointPlan plan, IHeaderDictionary headers)
    {
        var current = settings.Current;
        var isRead = _hasReaders || current.Calls.HasNamed;
        return isRead || (plan.HeedsDeadlines && current.Timeouts.Enabled && InboundHeaders.MayHaveDeadline(headers)) ? Read(context, plan, headers, current, isRead) : null;
    }

    /// <summary>Whether its caller no longer waits for it.</summary>
    public bool IsOver(InboundCall call) => call.HasCallersDeadline && clock.Timestamp() >= call.CallersDeadline;

    /// <summary>Why a request is refused whose caller no longer waits.</summary>
    public static Refusal Refuse(EndpointPlan plan) => new(RefusalReason.DeadlineExceeded, plan.Key, RetryAfter: null);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private InboundCall? Read(HttpContext context, EndpointPlan plan, IHeaderDictionary headers, ResilienceSettings current, bool isRead)
    {
        // Whose word counts is the application's to say, and may cost: asked only about what was said.
        var left = plan.HeedsDeadlines && current.Timeouts.Enabled && InboundHeaders.DeadlineOf(headers) is { } said && trusted.IsTrusted(context) ? said : (TimeSpan?)null;
        if (!isRead && left is null)
        {
            return null;
        }

        return new InboundCall(isRead)
        {
            CallersDeadline = left is { } time ? clock.Timestamp() + clock.ToTimestampTicks(time) : long.MaxValue,
            Criticality = plan.Criticality is { } own ? Degradation.RequestCriticality.Of(context, own, trusted) : Criticality.Default,
            Attempt = InboundHeaders.AttemptOf(headers),
        };
    }
}
