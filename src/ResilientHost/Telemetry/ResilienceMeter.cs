using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ResilientHost.Telemetry;

/// <summary>The library's one meter, made by the host's factory so that two hosts in one process stay apart.</summary>
internal sealed class ResilienceMeter(IMeterFactory factory)
{
    /// <summary>Spans of the library. Static, as activity sources are: listeners subscribe by name.</summary>
    public static ActivitySource ActivitySource { get; } = new(ResilienceDiagnostics.ActivitySourceName);

    public Meter Meter { get; } = factory.Create(ResilienceDiagnostics.MeterName);
}
