using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Outbound;

/// <summary>What attempts tell of themselves. Thread-safe; never throws. Costs nothing while nobody listens.</summary>
internal sealed class OutboundTelemetry(ResilienceMeter meter, MonotonicClock clock, ILogger<OutboundTelemetry> logger) : IDisposable
{
    private readonly OutboundMetrics _metrics = new(meter);
    private readonly OutboundLog _log = new(logger, clock.Provider);

    /// <summary>An attempt begins, in the context in which it runs: a span started here is the parent of the transport's.</summary>
    /// <param name="call">The call.</param>
    /// <param name="request">What is sent.</param>
    /// <param name="number">From 1.</param>
    /// <param name="isHedge">Whether another attempt runs beside it.</param>
    public AttemptTelemetry Begin(OutboundCall call, HttpRequestMessage request, int number, bool isHedge) =>
        new(this, call.Client, OutboundSpan.Start(call.Client.Name, request, number, isHedge), _metrics.IsTimed ? clock.Timestamp() : null);

    /// <summary>A failed attempt is made again after a wait; in the caller's context.</summary>
    /// <param name="call">The call.</param>
    /// <param name="number">Of the attempt to come.</param>
    /// <param name="failed">How the one before ended.</param>
    /// <param name="delay">The wait.</param>
    public void Retrying(OutboundCall call, int number, in AttemptResult failed, TimeSpan delay)
    {
        var failure = OutboundFailures.Of(failed) ?? OutboundFailures.Exception;
        call.Client.Counts.AddRetry();
        _metrics.Retried(call.Client.Name);
        OutboundSpan.Note(ResilienceDiagnostics.SpanEvents.OutboundRetried, call.Client.Name, number, failure);
        _log.Retrying(call.Client.Name, number - 1, failure, delay);
    }

    /// <summary>Another attempt begins beside the ones before, or at once after they failed; in the caller's context.</summary>
    /// <param name="call">The call.</param>
    /// <param name="number">Of the attempt to come.</param>
    /// <param name="failed">How an attempt before ended; <see langword="null"/>: the one before is slow.</param>
    public void Hedging(OutboundCall call, int number, in AttemptResult? failed)
    {
        var failure = failed is { } result ? OutboundFailures.Of(result) : null;
        call.Client.Counts.AddHedge();
        _metrics.Hedged(call.Client.Name);
        OutboundSpan.Note(ResilienceDiagnostics.SpanEvents.OutboundHedged, call.Client.Name, number, failure);
        _log.Hedging(call.Client.Name, number, failure ?? "slow");
    }

    /// <summary>There would have been another attempt, but for the budget.</summary>
    public void BudgetExhausted(OutboundCall call)
    {
        call.Client.Counts.AddBudgetExhausted();
        _metrics.BudgetExhausted(call.Client.Name);
        _log.BudgetExhausted(call.Client.Name);
    }

    /// <summary>A body failed after its attempt had ended.</summary>
    /// <param name="client">Whose call it was.</param>
    /// <param name="failure">One of <see cref="OutboundFailures"/>.</param>
    public void BodyFailed(string client, string failure)
    {
        _metrics.BodyFailed(client, failure);
        _log.BodyFailed(client, failure);
    }

    /// <summary>Ends the timers of the log's storms; what is still only counted is summed up.</summary>
    public void Dispose() => _log.Dispose();

    internal void End(OutboundClient client, Activity? activity, long? started, in AttemptResult result)
    {
        var outcome = OutcomeOf(result.End);
        var failure = OutboundFailures.Of(result);
        _metrics.Ended(client.Name, outcome, failure, started is { } from ? clock.Elapsed(from, clock.Timestamp()) : null);
        OutboundSpan.End(activity, result, outcome, failure);
        if (result.End == AttemptEnd.Refused)
        {
            client.Counts.AddRefused();
            _log.Refused(client.Name, failure ?? outcome);
        }
        else
        {
            client.Counts.AddAttempt();
        }
    }

    private static string OutcomeOf(AttemptEnd end) => end switch
    {
        AttemptEnd.Succeeded => "succeeded",
        AttemptEnd.Failed or AttemptEnd.TimedOut or AttemptEnd.EndpointTimedOut => "failed",
        AttemptEnd.Refused => "refused",
        _ => "ignored",
    };
}
