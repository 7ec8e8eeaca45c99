using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using ResilientHost.Bulkheads;
using ResilientHost.Caching;
using ResilientHost.Callers;
using ResilientHost.Calls;
using ResilientHost.CircuitBreaking;
using ResilientHost.Connections;
using ResilientHost.Dashboard;
using ResilientHost.DeadLetters;
using ResilientHost.Degradation;
using ResilientHost.Fallbacks;
using ResilientHost.IsolatedTasks;
using ResilientHost.Outbound;
using ResilientHost.Recovery;
using ResilientHost.Shutdown;
using ResilientHost.Timeouts;
using ResilientHost.Workers;

namespace ResilientHost.Hosting;

/// <summary>The layers that configuration knows.</summary>
internal static class ResilienceLayers
{
    // Each Bind stands where its type is known: the binding generator intercepts this very call.
    public static SingleLayer<RecoveryOptions> Recovery { get; } = new(
        nameof(ResilienceOptions.Recovery),
        static options => options.Recovery,
        static (section, options) => section.Bind(options),
        RecoveryOptionsValidator.Errors);

    public static NamedLayer<CircuitBreakerOptions> CircuitBreakers { get; } = new(
        nameof(ResilienceOptions.CircuitBreakers),
        static options => options.CircuitBreakers,
        static (section, options) =>
        {
            var isSet = options.ModeIsSet || section[nameof(options.Mode)] is not null;
            section.Bind(options);
            options.ModeIsSet = isSet;
        },
        CircuitBreakerOptionsValidator.Errors);

    public static NamedLayer<BulkheadOptions> Bulkheads { get; } = new(
        nameof(ResilienceOptions.Bulkheads),
        static options => options.Bulkheads,
        static (section, options) => section.Bind(options),
        BulkheadOptionsValidator.Errors);

    public static SingleLayer<TimeoutOptions> Timeouts { get; } = new(
        nameof(ResilienceOptions.Timeouts),
        static options => options.Timeouts,
        static (section, options) => section.Bind(options),
        TimeoutOptionsValidator.Errors);

    public static SingleLayer<FallbackOptions> Fallbacks { get; } = new(
        nameof(ResilienceOptions.Fallbacks),
        static options => options.Fallbacks,
        static (section, options) => section.Bind(options),
        FallbackOptionsValidator.Errors);

    public static SingleLayer<DegradationOptions> Degradation { get; } = new(
        nameof(ResilienceOptions.Degradation),
        static options => options.Degradation,
        static (section, options) => section.Bind(options),
        DegradationOptionsValidator.Errors);

    public static SingleLayer<ConnectionOptions> Connections { get; } = new(
        nameof(ResilienceOptions.Connections),
        static options => options.Connections,
        static (section, options) => section.Bind(options),
        ConnectionOptionsValidator.Errors);

    public static SingleLayer<TrustedCallerOptions> TrustedCallers { get; } = new(
        nameof(ResilienceOptions.TrustedCallers),
        static options => options.TrustedCallers,
        static (section, options) => section.Bind(options),
        TrustedCallerOptionsValidator.Errors);

    public static NamedLayer<HttpClientResilienceOptions> HttpClients { get; } = new(
        nameof(ResilienceOptions.HttpClients),
        static options => options.HttpClients,
        static (section, options) => section.Bind(options),
        HttpClientOptionsValidator.Errors);

    public static NamedLayer<CallResilienceOptions> Calls { get; } = new(
        nameof(ResilienceOptions.Calls),
        static options => options.Calls,
        static (section, options) => section.Bind(options),
        CallOptionsValidator.Errors);

    public static NamedLayer<CacheOptions> Caches { get; } = new(
        nameof(ResilienceOptions.Caches),
        static options => options.Caches,
        static (section, options) => section.Bind(options),
        CacheOptionsValidator.Errors);

    public static NamedLayer<WorkerOptions> Workers { get; } = new(
        nameof(ResilienceOptions.Workers),
        static options => options.Workers,
        static (section, options) => section.Bind(options),
        WorkerOptionsValidator.Errors,
        new Dictionary<string, LayerSwitch<WorkerOptions>>
        {
            [nameof(NamedWorkerOptions.SuperviseHostedServices)] = new(
                static named => ((NamedWorkerOptions)named).SuperviseHostedServices,
                static (named, value) => ((NamedWorkerOptions)named).SuperviseHostedServices = value),
            [nameof(NamedWorkerOptions.ContainUnhandledExceptions)] = new(
                static named => ((NamedWorkerOptions)named).ContainUnhandledExceptions,
                static (named, value) => ((NamedWorkerOptions)named).ContainUnhandledExceptions = value),
        });

    public static NamedLayer<WorkerGroupOptions> WorkerGroups { get; } = new(
        nameof(ResilienceOptions.WorkerGroups),
        static options => options.WorkerGroups,
        static (section, options) => section.Bind(options),
        WorkerOptionsValidator.GroupErrors);

    public static SingleLayer<DeadLetterOptions> DeadLetters { get; } = new(
        nameof(ResilienceOptions.DeadLetters),
        static options => options.DeadLetters,
        static (section, options) => section.Bind(options),
        DeadLetterOptionsValidator.Errors);

    public static SingleLayer<IsolatedTaskOptions> IsolatedTasks { get; } = new(
        nameof(ResilienceOptions.IsolatedTasks),
        static options => options.IsolatedTasks,
        static (section, options) => section.Bind(options),
        IsolatedTaskOptionsValidator.Errors);

    public static SingleLayer<ShutdownOptions> Shutdown { get; } = new(
        nameof(ResilienceOptions.Shutdown),
        static options => options.Shutdown,
        static (section, options) => section.Bind(options),
        ShutdownOptionsValidator.Errors);

    public static SingleLayer<DashboardOptions> Dashboard { get; } = new(
        nameof(ResilienceOptions.Dashboard),
        static options => options.Dashboard,
        static (section, options) => section.Bind(options),
        DashboardOptionsValidator.Errors);

    public static IReadOnlyList<ILayerSection> All { get; } =
        [Recovery, CircuitBreakers, Bulkheads, Timeouts, Fallbacks, Degradation, Connections, TrustedCallers, HttpClients, Calls, Caches, Workers, WorkerGroups, DeadLetters, IsolatedTasks, Shutdown, Dashboard];
}

/// <summary>One section under <c>Resilience</c>.</summary>
internal interface ILayerSection
{
    string Key { get; }

    /// <summary>Binds the section; what is wrong goes to <see cref="ResilienceOptions.Problems"/>.</summary>
    void Read(IConfigurationSection section, ResilienceOptions options);

    /// <summary>Judges the options when code had its say, too.</summary>
    void Validate(ResilienceOptions options, IHostEnvironment? environment, ConfigurationProblems problems);

    /// <summary>Lists the options as they are in force.</summary>
    /// <param name="options">Validated options.</param>
    /// <param name="pristine">Options that nobody has touched.</param>
    IEnumerable<OptionEntry> Describe(ResilienceOptions options, ResilienceOptions pristine);
}
