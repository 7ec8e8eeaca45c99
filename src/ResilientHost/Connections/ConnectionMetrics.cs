using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.Connections;

/// <summary>Counts connections that were not taken. No member throws: listeners' callbacks run in here.</summary>
internal sealed class ConnectionMetrics(ResilienceMeter meter)
{
    private readonly Counter<long> _refused = meter.Meter.CreateCounter<long>(
        ResilienceDiagnostics.Instruments.ConnectionsRefused, "{connection}", "Connections closed as soon as they were accepted.");

    /// <param name="reason">One of <see cref="ResilienceDiagnostics.ConnectionTagValues"/>.</param>
    public void Refused(string reason)
    {
        try
        {
            _refused.Add(1, new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.ConnectionRefusal, reason));
        }
        catch (Exception)
        {
            // In the server's accept loop a listener's exception would end the listening.
        }
    }
}
