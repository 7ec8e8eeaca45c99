using System.Diagnostics.Metrics;

using ResilientHost.Telemetry;

namespace ResilientHost.CircuitBreaking;

/// <summary>Instruments of a registry's breakers.</summary>
/// <remarks>State and refusals are read when a listener samples, so a call pays nothing for them; sampling observes time-derived states.</remarks>
internal sealed class CircuitBreakerMetrics
{
    private static readonly CircuitState[] AllStates = Enum.GetValues<CircuitState>();

    private readonly Counter<long> _transitions;

    public CircuitBreakerMetrics(ResilienceMeter meter, Func<IReadOnlyList<CircuitBreaker>> breakers)
    {
        _transitions = meter.Meter.CreateCounter<long>(
            ResilienceDiagnostics.Instruments.CircuitBreakerTransitions,
            unit: "{transition}",
            description: "State changes of circuit breakers.");
        meter.Meter.CreateObservableGauge(
            ResilienceDiagnostics.Instruments.CircuitBreakerState,
            () => breakers().SelectMany(States),
            unit: "{state}",
            description: "1 for the state a circuit breaker is in, 0 for the others.");
        meter.Meter.CreateObservableGauge(
            ResilienceDiagnostics.Instruments.CircuitBreakerPartitions,
            () => breakers().SelectMany(Partitions),
            unit: "{partition}",
            description: "Partitions of a keyed circuit breaker, by state.");
        meter.Meter.CreateObservableCounter(
            ResilienceDiagnostics.Instruments.CircuitBreakerRefusals,
            () => breakers().Select(breaker => Total(breaker, breaker.Refused)),
            unit: "{call}",
            description: "Calls that circuit breakers refused.");
        meter.Meter.CreateObservableCounter(
            ResilienceDiagnostics.Instruments.CircuitBreakerLateResults,
            () => breakers().Select(breaker => Total(breaker, breaker.LateResults)),
            unit: "{call}",
            description: "Results that arrived in a later era than their call began in.");
    }

    public void Count(CircuitTransition transition) => _transitions.Add(
        1,
        new(ResilienceDiagnostics.Tags.CircuitBreakerName, transition.Name),
        new(ResilienceDiagnostics.Tags.CircuitFrom, CircuitNames.Of(transition.From)),
        new(ResilienceDiagnostics.Tags.CircuitTo, CircuitNames.Of(transition.To)),
        new(ResilienceDiagnostics.Tags.CircuitCause, CircuitNames.Of(transition.Cause)));

    private static IEnumerable<Measurement<int>> States(CircuitBreaker breaker)
    {
        var current = breaker.State;
        return AllStates.Select(state => new Measurement<int>(
            state == current ? 1 : 0,
            new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.CircuitBreakerName, breaker.Name),
            new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.CircuitState, CircuitNames.Of(state))));
    }

    private static IEnumerable<Measurement<int>> Partitions(CircuitBreaker breaker)
    {
        if (breaker.Partitions is not { } partitions)
        {
            return [];
        }

        var counts = partitions.CountStates();
        return AllStates.Select(state => new Measurement<int>(
            counts[(int)state],
            new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.CircuitBreakerName, breaker.Name),
            new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.CircuitState, CircuitNames.Of(state))));
    }

    private static Measurement<long> Total(CircuitBreaker breaker, long value) => new(
        value,
        new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.CircuitBreakerName, breaker.Name));
}
