using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.Degradation;

/// <summary>Instruments of the slice. Gauges are read when a listener samples. No member throws: listeners' callbacks run in here.</summary>
internal sealed class DegradationMetrics
{
    private readonly Counter<long> _transitions;
    private readonly Counter<long> _shed;
    private readonly Counter<long> _shadowShed;

    public DegradationMetrics(ResilienceMeter meter, DegradationControl control)
    {
        meter.Meter.CreateObservableGauge(
            ResilienceDiagnostics.Instruments.DegradationLevel, () => (int)control.Current, "{level}", "The service level in force, 0 (normal) to 3 (survival).");
        meter.Meter.CreateObservableGauge(
            ResilienceDiagnostics.Instruments.DegradationSeverity, () => control.Shedding.Severity, "1", "How far shedding has grown, 0 to 3.");
        meter.Meter.CreateObservableGauge(
            ResilienceDiagnostics.Instruments.DegradationEnforced, () => control.Mode == DegradationMode.Enforce ? 1 : 0, unit: null, "1 where the level turns requests down, 0 where it only counts them.");
        meter.Meter.CreateObservableGauge(
            ResilienceDiagnostics.Instruments.DegradationSignal, () => Values(control), unit: null, "The smoothed value of each signal, in its own unit.");
        _transitions = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.DegradationTransitions, "{change}", "Changes of the service level.");
        _shed = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.DegradationShed, "{request}", "Requests turned down by degradation.");
        _shadowShed = meter.Meter.CreateCounter<long>(
            ResilienceDiagnostics.Instruments.DegradationShadowShed, "{request}", "Requests that degradation would have turned down, were it not in shadow mode.");
        control.Changed += Count;
    }

    public void Shed(string endpoint, Criticality criticality, in Shedding shedding)
    {
        try
        {
            (shedding.IsEnforced ? _shed : _shadowShed).Add(
                1,
                new(ResilienceDiagnostics.Tags.Criticality, DegradationNames.Of(criticality)),
                new(ResilienceDiagnostics.Tags.ServiceLevel, DegradationNames.Of(shedding.Level)),
                new(ResilienceDiagnostics.Tags.Endpoint, endpoint));
        }
        catch (Exception)
        {
            // A meter listener that throws would otherwise fail a request.
        }
    }

    private static IEnumerable<Measurement<double>> Values(DegradationControl control) => control.Snapshot().Signals
        .Where(signal => signal.Value is not null)
        .Select(signal => new Measurement<double>(signal.Value!.Value, new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.Signal, signal.Name)));

    private void Count(ServiceLevelChange change) => _transitions.Add(
        1,
        new(ResilienceDiagnostics.Tags.ServiceLevelFrom, DegradationNames.Of(change.From)),
        new(ResilienceDiagnostics.Tags.ServiceLevelTo, DegradationNames.Of(change.To)),
        new(ResilienceDiagnostics.Tags.ServiceLevelCause, DegradationNames.Of(change.Cause)));
}
