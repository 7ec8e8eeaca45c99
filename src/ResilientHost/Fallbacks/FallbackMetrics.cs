using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.Fallbacks;

/// <summary>How often fallbacks answered, and why they did not. No member throws: listeners' callbacks run in here.</summary>
internal sealed class FallbackMetrics(ResilienceMeter meter)
{
    private readonly Counter<long> _served = meter.Meter.CreateCounter<long>(
        ResilienceDiagnostics.Instruments.FallbackServed, "{response}", "Answers given by a fallback.");

    private readonly Counter<long> _failures = meter.Meter.CreateCounter<long>(
        ResilienceDiagnostics.Instruments.FallbackFailures, "{call}", "Fallbacks that gave no answer.");

    public void Served(string endpoint, string kind)
    {
        if (!_served.Enabled)
        {
            return;
        }

        try
        {
            _served.Add(1, new(ResilienceDiagnostics.Tags.Endpoint, endpoint), new(ResilienceDiagnostics.Tags.FallbackKind, kind));
        }
        catch (Exception)
        {
            // A listener's failure must not cost the caller the answer.
        }
    }

    public void Failed(string endpoint, string kind, string reason)
    {
        if (!_failures.Enabled)
        {
            return;
        }

        try
        {
            _failures.Add(
                1,
                new(ResilienceDiagnostics.Tags.Endpoint, endpoint),
                new(ResilienceDiagnostics.Tags.FallbackKind, kind),
                new(ResilienceDiagnostics.Tags.FallbackFailure, reason));
        }
        catch (Exception)
        {
            // As above.
        }
    }
}
