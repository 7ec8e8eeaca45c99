using System.Diagnostics.CodeAnalysis;
using ResilientHost.Dashboard;
using ResilientHost.Fallbacks;
using ResilientHost.IsolatedTasks;
using ResilientHost.Recovery;
using ResilientHost.Shutdown;
using ResilientHost.Timeouts;
using ResilientHost.Workers;

namespace ResilientHost.Hosting;

/// <summary>Validated options turned into settings, with what the next reload is compared against. Immutable.</summary>
internal sealed class AppliedConfiguration
{
    private static readonly LayerStateBuilder<CircuitBreakerOptions> CircuitBreakerStates =
        new(ResilienceLayers.CircuitBreakers, static options => options.Mode = CircuitMode.Disabled);

    private static readonly LayerStateBuilder<BulkheadOptions> BulkheadStates =
        new(ResilienceLayers.Bulkheads, static options => options.Mode = BulkheadMode.Disabled);

    private static readonly LayerStateBuilder<HttpClientResilienceOptions> HttpClientStates = new(ResilienceLayers.HttpClients, disable: null);

    private static readonly LayerStateBuilder<CallResilienceOptions> CallStates = new(ResilienceLayers.Calls, disable: null);

    private static readonly LayerStateBuilder<CacheOptions> CacheStates = new(ResilienceLayers.Caches, disable: null);

    private static readonly LayerStateBuilder<WorkerOptions> WorkerStates = new(ResilienceLayers.Workers, disable: null);

    private static readonly LayerStateBuilder<WorkerGroupOptions> WorkerGroupStates = new(ResilienceLayers.WorkerGroups, disable: null);

    private readonly bool _enabled;
    private readonly RecoveryOptions _recovery;
    private readonly TimeoutOptions _timeouts;
    private readonly FallbackOptions _fallbacks;
    private readonly DegradationOptions _degradation;
    private readonly ConnectionOptions _connections;
    private readonly TrustedCallerOptions _trustedCallers;
    private readonly LayerState<CircuitBreakerOptions> _circuitBreakers;
    private readonly LayerState<BulkheadOptions> _bulkheads;
    private readonly LayerState<HttpClientResilienceOptions> _httpClients;
    private readonly LayerState<CallResilienceOptions> _calls;
    private readonly LayerState<CacheOptions> _caches;
    private readonly LayerState<WorkerOptions> _workers;
    private readonly LayerState<WorkerGroupOptions> _workerGroups;
    private readonly DeadLetterOptions _deadLetters;
    private readonly IsolatedTaskOptions _isolatedTasks;
    private readonly ShutdownOptions _shutdown;
    private readonly DashboardOptions _dashboard;

    private AppliedConfiguration(ResilienceOptions options, bool isDevelopment, AppliedConfiguration? before, SettingsChanges changes)
    {
        _enabled = options.Enabled;
        _recovery = options.Recovery;
        _timeouts = options.Timeouts;
        _fallbacks = options.Fallbacks;
        _degradation = options.Degradation;
        _connections = options.Connections;
        _trustedCallers = options.TrustedCallers;
        _deadLetters = options.DeadLetters;
        _isolatedTasks = options.IsolatedTasks;
        _shutdown = options.Shutdown;
        _dashboard = options.Dashboard;
        var switched = before is not null && before._enabled != options.Enabled;
        if (switched)
        {
            changes.Add($"{options.Path}:Enabled", [$"{!options.Enabled} → {options.Enabled}"]);
        }

        var recoveryChanged = Changed(ResilienceLayers.Recovery, before?._recovery, _recovery);
        var timeoutsChanged = Changed(ResilienceLayers.Timeouts, before?._timeouts, _timeouts);
        var fallbacksChanged = Changed(ResilienceLayers.Fallbacks, before?._fallbacks, _fallbacks);
        var degradationChanged = Changed(ResilienceLayers.Degradation, before?._degradation, _degradation) || switched;
        var connectionsChanged = Changed(ResilienceLayers.Connections, before?._connections, _connections) || switched;
        var trustedCallersChanged = Changed(ResilienceLayers.TrustedCallers, before?._trustedCallers, _trustedCallers);
        var deadLettersChanged = Changed(ResilienceLayers.DeadLetters, before?._deadLetters, _deadLetters);
        var isolatedTasksChanged = Changed(ResilienceLayers.IsolatedTasks, before?._isolatedTasks, _isolatedTasks) || switched;
        var shutdownChanged = Changed(ResilienceLayers.Shutdown, before?._shutdown, _shutdown) || switched;
        var dashboardChanged = Changed(ResilienceLayers.Dashboard, before?._dashboard, _dashboard) || switched;
        _circuitBreakers = CircuitBreakerStates.Build(
            options.CircuitBreakers, ForEndpoints(options.CircuitBreakers), options.Enabled, before?._circuitBreakers, changes);
        _bulkheads = BulkheadStates.Build(options.Bulkheads, ForEndpoints(options.Bulkheads), options.Enabled, before?._bulkheads, changes);
        _httpClients = HttpClientStates.Build(options.HttpClients, options.HttpClients.Default, options.Enabled, before?._httpClients, changes);
        _calls = CallStates.Build(options.Calls, options.Calls.Default, options.Enabled, before?._calls, changes);
        _caches = CacheStates.Build(options.Caches, options.Caches.Default, options.Enabled, before?._caches, changes);
        _workers = WorkerStates.Build(options.Workers, options.Workers.Default, options.Enabled, before?._workers, changes);
        _workerGroups = WorkerGroupStates.Build(options.WorkerGroups, options.WorkerGroups.Default, options.Enabled, before?._workerGroups, changes);
        Settings = new(
            options.Enabled,
            before is not null && !recoveryChanged && !switched
                ? before.Settings.Recovery
                : RecoveryOf(options, isDevelopment),
            before is not null && !timeoutsChanged ? before.Settings.Timeouts : new(_timeouts),
            before is not null && !fallbacksChanged ? before.Settings.Fallbacks : new(_fallbacks),
            before is not null && !degradationChanged ? before.Settings.Degradation : new(_degradation) { Enabled = options.Enabled && _degradation.Enabled },
            before is not null && !connectionsChanged ? before.Settings.Connections : new(_connections) { Enabled = options.Enabled && _connections.Enabled },
            before is not null && !trustedCallersChanged ? before.Settings.TrustedCallers : new(_trustedCallers),
            before is not null && LayerStateBuilder<CircuitBreakerOptions>.IsSame(before._circuitBreakers, _circuitBreakers)
                ? before.Settings.CircuitBreakers
                : new(_circuitBreakers.Named, _circuitBreakers.ForEndpoints),
            before is not null && LayerStateBuilder<BulkheadOptions>.IsSame(before._bulkheads, _bulkheads)
                ? before.Settings.Bulkheads
                : new(_bulkheads.Named, _bulkheads.ForEndpoints),
            new(options.Enabled && options.HttpClients.Enabled, _httpClients.ForEndpoints, _httpClients.Named)
            {
                Bases = options.HttpClients.Entries.Select(entry => entry.Inherit).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase),
            },
            new(options.Enabled && options.Calls.Enabled, _calls.Named),
            new(options.Enabled && options.Caches.Enabled, _caches.ForEndpoints, _caches.Named),
            WorkersOf(options),
            before is not null && !deadLettersChanged ? before.Settings.DeadLetters : _deadLetters,
            before is not null && !isolatedTasksChanged ? before.Settings.IsolatedTasks : new(_isolatedTasks) { Enabled = options.Enabled && _isolatedTasks.Enabled },
            before is not null && !shutdownChanged ? before.Settings.Shutdown : new(_shutdown) { Enabled = options.Enabled && _shutdown.Enabled },
            before is not null && !dashboardChanged ? before.Settings.Dashboard : new(_dashboard) { KeepsHistory = options.Enabled && _dashboard.KeepHistory });

        bool Changed<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>(SingleLayer<TOptions> layer, TOptions? was, TOptions now)
            where TOptions : class
        {
            var differences = was is null ? [] : layer.Shape.Differences(was, now);
            changes.Add($"{options.Path}:{layer.Key}", differences);
            return differences.Count > 0;
        }
    }

    /// <summary>What the suite works on. A layer without a change keeps the instance of its settings.</summary>
    public ResilienceSettings Settings { get; }

    /// <param name="options">Validated options that nobody else holds.</param>
    /// <param name="isDevelopment">Whether the host runs in the Development environment.</param>
    /// <param name="before">What is in force; <see langword="null"/> at start.</param>
    /// <param name="changes">Receives what differs from <paramref name="before"/>.</param>
    public static AppliedConfiguration Create(
        ResilienceOptions options, bool isDevelopment, AppliedConfiguration? before, SettingsChanges changes) =>
        new(options, isDevelopment, before, changes);

    private static RecoveryPolicy RecoveryOf(ResilienceOptions options, bool isDevelopment)
    {
        // The policy is a copy; the options stay as asked for, to be compared with at the next reload.
        var asked = options.Recovery.Enabled;
        options.Recovery.Enabled = asked && options.Enabled;
        var policy = new RecoveryPolicy(options.Recovery, isDevelopment);
        options.Recovery.Enabled = asked;
        return policy;
    }

    private WorkerSettings WorkersOf(ResilienceOptions options) => new(
        options.Enabled && options.Workers.Enabled,
        options.Workers.SuperviseHostedServices,
        options.Workers.ContainUnhandledExceptions,
        new(_workers.ForEndpoints),
        _workers.Named.ToDictionary(pair => pair.Key, pair => new WorkerPolicy(pair.Value), StringComparer.OrdinalIgnoreCase),
        _workerGroups.Named.ToDictionary(pair => pair.Key, pair => new WorkerGroupPolicy(pair.Value, options.WorkerGroups.Enabled), StringComparer.OrdinalIgnoreCase))
    {
        Bases = options.Workers.Entries.Select(entry => entry.Inherit).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase),
    };

    // Installing the package must cause no outage: until someone asks for it, an endpoint's own breaker only watches …
    private static CircuitBreakerOptions ForEndpoints(NamedOptions<CircuitBreakerOptions> options)
    {
        var automatic = NamedOptions<CircuitBreakerOptions>.Copy(options.Default);
        if (!options.Default.ModeIsSet)
        {
            automatic.Mode = CircuitMode.Shadow;
        }

        return automatic;
    }

    // … and its own bulkhead only measures. Limits of Default are for those that are asked for by name.
    private static BulkheadOptions ForEndpoints(NamedOptions<BulkheadOptions> options) =>
        new() { Mode = options.Default.Mode, MaxConcurrency = null };
}
