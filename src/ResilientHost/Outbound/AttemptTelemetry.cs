using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ResilientHost.Outbound;

/// <summary>One attempt under observation. The default value observes nothing.</summary>
/// <param name="telemetry">Who observes.</param>
/// <param name="client">Whose attempt it is.</param>
/// <param name="activity">Its span.</param>
/// <param name="started">When it began, if anybody wants to know how long it takes.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly struct AttemptTelemetry(OutboundTelemetry telemetry, OutboundClient client, Activity? activity, long? started)
{
    private readonly OutboundTelemetry? _telemetry = telemetry;

    /// <summary>The attempt is over; once, in the context in which it began.</summary>
    public void End(in AttemptResult result) => _telemetry?.End(client, activity, started, result);
}
