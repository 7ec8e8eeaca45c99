using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.Timeouts;

/// <summary>Counts timeouts that ran out and those that were ignored. No member throws: listeners' callbacks run in here.</summary>
internal sealed class TimeoutMetrics(ResilienceMeter meter)
{
    private readonly Counter<long> _expired = meter.Meter.CreateCounter<long>(
        ResilienceDiagnostics.Instruments.TimeoutExpired, "{request}", "Requests whose timeout ran out before their response started.");

    private readonly Counter<long> _overruns = meter.Meter.CreateCounter<long>(
        ResilienceDiagnostics.Instruments.TimeoutOverruns, "{request}", "Requests that ignored their timeout and lost their connection or stream.");

    /// <param name="endpoint">The endpoint's tag, capped.</param>
    public void Expired(string endpoint) => Add(_expired, endpoint);

    /// <param name="endpoint">The endpoint's tag, capped.</param>
    public void Overran(string endpoint) => Add(_overruns, endpoint);

    private static void Add(Counter<long> counter, string endpoint)
    {
        try
        {
            counter.Add(1, new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.Endpoint, endpoint));
        }
        catch (Exception)
        {
            // On a timer's thread a listener's exception would end the process.
        }
    }
}
