using System.Collections.Concurrent;
using Polly;
using Polly.Registry;
using ResilientHost.Hosting;

namespace ResilientHost.Calls;

/// <summary>The calls that configuration names, and the Polly registries that have pipelines for them. Thread-safe; follows the settings.</summary>
internal sealed class CallPipelines(CircuitBreakerRegistry circuitBreakers, BulkheadRegistry bulkheads, MonotonicClock clock)
{
    private readonly ConcurrentDictionary<string, NamedCall> _calls = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ResiliencePipelineRegistry<string>> _registries = [];
    private readonly Lock _gate = new();

    /// <summary>A snapshot, by name.</summary>
    public IReadOnlyList<NamedCall> All => [.. _calls.Values.OrderBy(call => call.Name, StringComparer.OrdinalIgnoreCase)];

    public void Apply(CallSettings settings)
    {
        List<string> clashes = [];
        lock (_gate)
        {
            // Those that configuration no longer names, too: pipelines of theirs are still held, and the kill switch is for all.
            foreach (var known in _calls.Values)
            {
                known.Apply(settings.Named.GetValueOrDefault(known.Name), settings.Enabled);
            }

            foreach (var (name, options) in settings.Named)
            {
                if (_calls.ContainsKey(name))
                {
                    continue;
                }

                var call = new NamedCall(name, options, settings.Enabled, circuitBreakers, bulkheads, clock);
                _calls[name] = call;
                clashes.AddRange(_registries.Where(registry => !TryAdd(registry, call)).Select(_ => name));
            }
        }

        ThrowIfAny(clashes);
    }

    /// <summary>Gives a registry the pipelines of all names, those that configuration gets later too. A second time it does nothing.</summary>
    /// <returns>The same registry.</returns>
    /// <exception cref="InvalidOperationException">The registry has a pipeline of one of the names already.</exception>
    public ResiliencePipelineRegistry<string> AddTo(ResiliencePipelineRegistry<string> registry)
    {
        List<string> clashes = [];
        lock (_gate)
        {
            if (!_registries.Contains(registry))
            {
                _registries.Add(registry);
                clashes.AddRange(All.Where(call => !TryAdd(registry, call)).Select(call => call.Name));
            }
        }

        ThrowIfAny(clashes);
        return registry;
    }

    /// <summary>The pipeline of a name, as <c>[FromKeyedServices(name)]</c> asks for it.</summary>
    /// <exception cref="InvalidOperationException">There is none; the message lists the names there are.</exception>
    public ResiliencePipeline Get(ResiliencePipelineRegistry<string> registry, string? name) =>
        name is not null && AddTo(registry).TryGetPipeline(name, out var pipeline) ? pipeline : throw new InvalidOperationException(
            $"There is no resilience pipeline '{name}'. Names in configuration (Resilience:Calls): {string.Join(", ", All.Select(call => call.Name).DefaultIfEmpty("none"))}.");

    // Asked for before: a pipeline that was added without a builder would hide ours.
    private static bool TryAdd(ResiliencePipelineRegistry<string> registry, NamedCall call) =>
        !registry.TryGetPipeline(call.Name, out _) && registry.TryAddBuilder(call.Name, (builder, _) => CallStrategy.AddTo(builder, call));

    private static void ThrowIfAny(List<string> clashes)
    {
        if (clashes.Count > 0)
        {
            throw new InvalidOperationException(
                $"The application's ResiliencePipelineRegistry<string> has pipelines of its own with names that configuration has too (Resilience:Calls): {string.Join(", ", clashes)}. Rename one of each.");
        }
    }
}
