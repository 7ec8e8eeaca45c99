using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>Everything that can be said of the suite: what the section <c>Resilience</c> holds, and what code adds to it.</summary>
/// <remarks>
/// <para>
/// The section is bound first; the actions given to <c>AddResilienceLayers</c> (and every other
/// <c>services.Configure&lt;ResilienceOptions&gt;</c>) run after it, in order, at start and again at each reload. Actions therefore must be
/// repeatable. The result is validated as a whole before the server listens; all errors are reported at once.
/// </para>
/// <para>
/// The suite itself follows the configuration; <c>IOptionsMonitor&lt;ResilienceOptions&gt;</c> does not, as an invalid reload would throw through it into
/// the configuration system.
/// </para>
/// <para>A mutable value for the time of configuration; not thread-safe. The running suite works on an immutable copy.</para>
/// </remarks>
public sealed class ResilienceOptions
{
    /// <summary>The kill switch of the whole suite.</summary>
    /// <value>Default <see langword="true"/>. <see langword="false"/> turns every layer into a pass-through; reloads, both ways.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>Whether unknown keys in the section are errors.</summary>
    /// <value>Default <see cref="UnknownKeyHandling.Error"/>.</value>
    public UnknownKeyHandling UnknownKeys { get; set; }

    /// <summary>How exceptions become answers and log entries.</summary>
    public RecoveryOptions Recovery { get; } = new();

    /// <summary>Circuit breakers by name, and the defaults of them all.</summary>
    public NamedOptions<CircuitBreakerOptions> CircuitBreakers { get; } = new(nameof(CircuitBreakers));

    /// <summary>Bulkheads by name, and the defaults of them all.</summary>
    public NamedOptions<BulkheadOptions> Bulkheads { get; } = new(nameof(Bulkheads));

    /// <summary>How long requests may take until their response starts.</summary>
    public TimeoutOptions Timeouts { get; } = new();

    /// <summary>What bounds fallbacks.</summary>
    public FallbackOptions Fallbacks { get; } = new();

    /// <summary>When the service turns down the less important.</summary>
    public DegradationOptions Degradation { get; } = new();

    /// <summary>How new connections are limited.</summary>
    public ConnectionOptions Connections { get; } = new();

    /// <summary>Whose word counts.</summary>
    public TrustedCallerOptions TrustedCallers { get; } = new();

    /// <summary>HTTP clients by name, and the defaults of them all.</summary>
    public NamedOptions<HttpClientResilienceOptions> HttpClients { get; } = new(nameof(HttpClients));

    /// <summary>Other outbound calls by name, and the defaults of them all.</summary>
    public NamedOptions<CallResilienceOptions> Calls { get; } = new(nameof(Calls));

    /// <summary>Caches by name, and the defaults of them all.</summary>
    public NamedOptions<CacheOptions> Caches { get; } = new(nameof(Caches));

    /// <summary>Background workers by name, and the defaults of them all.</summary>
    public NamedWorkerOptions Workers { get; } = new();

    /// <summary>Groups of workers by name, and the defaults of them all.</summary>
    public NamedOptions<WorkerGroupOptions> WorkerGroups { get; } = new(nameof(WorkerGroups));

    /// <summary>Where items go that cannot be processed.</summary>
    public DeadLetterOptions DeadLetters { get; } = new();

    /// <summary>What bounds isolated tasks.</summary>
    public IsolatedTaskOptions IsolatedTasks { get; } = new();

    /// <summary>How the host goes.</summary>
    public ShutdownOptions Shutdown { get; } = new();

    /// <summary>What bounds the dashboard.</summary>
    public DashboardOptions Dashboard { get; } = new();

    /// <summary>Where these options come from, for messages.</summary>
    internal string Path { get; set; } = ResilienceSection.Name;

    /// <summary>What reading the section found wrong; judged by the validator, when code had its say on <see cref="UnknownKeys"/>.</summary>
    internal ConfigurationProblems Problems { get; } = new();

    /// <summary>By section: properties that configuration tried to set and could not.</summary>
    internal Dictionary<string, IReadOnlySet<string>> Unreadable { get; } = new(StringComparer.Ordinal);
}
