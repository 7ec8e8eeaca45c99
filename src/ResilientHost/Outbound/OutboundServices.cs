using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>What the handlers of all clients share. Immutable and thread-safe.</summary>
internal sealed class OutboundServices(MonotonicClock clock, OutboundTelemetry telemetry, OutboundHedging hedging, CertificateWatches certificates)
{
    public MonotonicClock Clock { get; } = clock;

    public OutboundTelemetry Telemetry { get; } = telemetry;

    public OutboundHedging Hedging { get; } = hedging;

    public CertificateWatches Certificates { get; } = certificates;

    public AttemptCancellations Cancellations { get; } = new(clock);

    public OutboundCalls Calls { get; } = new();

    public RetryLoop Retries { get; } = new(clock);
}
