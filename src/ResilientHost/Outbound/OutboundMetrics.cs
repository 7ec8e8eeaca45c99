using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.Outbound;

/// <summary>Instruments of attempts. By client, never by authority: those are as many as callers like. No member throws: listeners' callbacks run in here.</summary>
internal sealed class OutboundMetrics
{
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _hedges;
    private readonly Counter<long> _budgetExhausted;
    private readonly Counter<long> _bodyFailures;
    private readonly Histogram<double> _duration;

    public OutboundMetrics(ResilienceMeter meter)
    {
        _attempts = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.OutboundAttempts, "{attempt}", "Attempts of HTTP clients.");
        _retries = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.OutboundRetries, "{attempt}", "Attempts that were made again.");
        _hedges = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.OutboundHedges, "{attempt}", "Attempts beside a slow one.");
        _budgetExhausted = meter.Meter.CreateCounter<long>(
            ResilienceDiagnostics.Instruments.OutboundBudgetExhausted, "{attempt}", "Retries and hedged attempts that the budget did not allow.");
        _bodyFailures = meter.Meter.CreateCounter<long>(
            ResilienceDiagnostics.Instruments.OutboundBodyFailures, "{response}", "Bodies of responses that broke off or came too slowly after their attempt.");
        _duration = meter.Meter.CreateHistogram<double>(
            ResilienceDiagnostics.Instruments.OutboundAttemptDuration, "s", "Duration of attempts of HTTP clients until their response's headers.");
    }

    /// <summary>Whether anybody wants to know how long attempts take.</summary>
    public bool IsTimed => _duration.Enabled;

    /// <summary>An attempt is over.</summary>
    /// <param name="client">Whose.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="failure">One of <see cref="OutboundFailures"/>.</param>
    /// <param name="duration"><see langword="null"/>: not measured.</param>
    public void Ended(string client, string outcome, string? failure, TimeSpan? duration)
    {
        if (duration is null && !_attempts.Enabled)
        {
            return;
        }

        try
        {
            if (failure is null)
            {
                _attempts.Add(1, new(ResilienceDiagnostics.Tags.OutboundClient, client), new(ResilienceDiagnostics.Tags.OutboundOutcome, outcome));
            }
            else
            {
                _attempts.Add(
                    1,
                    new(ResilienceDiagnostics.Tags.OutboundClient, client),
                    new(ResilienceDiagnostics.Tags.OutboundOutcome, outcome),
                    new(ResilienceDiagnostics.Tags.OutboundFailure, failure));
            }

            if (duration is { } elapsed)
            {
                _duration.Record(elapsed.TotalSeconds, new(ResilienceDiagnostics.Tags.OutboundClient, client), new(ResilienceDiagnostics.Tags.OutboundOutcome, outcome));
            }
        }
        catch (Exception)
        {
            // A meter listener that throws would otherwise fail a call.
        }
    }

    public void Retried(string client) => Count(_retries, client);

    public void Hedged(string client) => Count(_hedges, client);

    public void BudgetExhausted(string client) => Count(_budgetExhausted, client);

    public void BodyFailed(string client, string failure)
    {
        try
        {
            _bodyFailures.Add(1, new(ResilienceDiagnostics.Tags.OutboundClient, client), new(ResilienceDiagnostics.Tags.OutboundFailure, failure));
        }
        catch (Exception)
        {
            // A meter listener that throws would otherwise fail a call.
        }
    }

    private static void Count(Counter<long> counter, string client)
    {
        try
        {
            counter.Add(1, new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.OutboundClient, client));
        }
        catch (Exception)
        {
            // A meter listener that throws would otherwise fail a call.
        }
    }
}
