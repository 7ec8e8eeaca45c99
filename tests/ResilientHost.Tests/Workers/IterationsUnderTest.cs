using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Bulkheads;
using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

/// <summary>One worker that runs, with what the container makes for its context, manual time, and a level that the test sets.</summary>
internal sealed class IterationsUnderTest : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ServiceProvider _services;
    private readonly CancellationTokenSource _stopping = new();

    public IterationsUnderTest(Action<WorkerOptions>? configure = null, bool hasContext = true)
    {
        Options.RestartJitter = 0;
        configure?.Invoke(Options);
        Logs = new LogRecorder();
        _services = new ServiceCollection()
            .AddLogging(builder => builder.AddProvider(Logs))
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<IServiceLevel>(Level)
            .AddSingleton<IWorkerEvents>(Events)
            .AddSingleton<Func<RecoveryPolicy>>(() => new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false))
            .AddSingleton<Func<WorkerSettings>>(() => Settings)
            .AddCircuitBreaking()
            .AddBulkheads()
            .AddWorkerIterations()
            .BuildServiceProvider();
        Metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, _services.GetRequiredService<IMeterFactory>());
        Reload();
        Worker = new Worker("sync", new Body(hasContext), () => Settings, new MonotonicClock(Time));
        Worker.Enter(WorkerState.Running, WorkerTransitionCause.Host, 1);
        Run = new WorkerRun(Worker, 1, _stopping.Token);
        Context = new WorkerContext(Run, _services);
    }

    public WorkerOptions Options { get; } = new();

    public ManualTimeProvider Time { get; } = new();

    public LogRecorder Logs { get; }

    public MetricRecorder Metrics { get; }

    public ScriptedLevel Level { get; } = new();

    public RecordingEvents Events { get; } = new();

    public WorkerSettings Settings { get; private set; } = null!;

    public Worker Worker { get; }

    public WorkerRun Run { get; }

    public WorkerContext Context { get; }

    public CancellationToken Stopping => _stopping.Token;

    public WorkerServices Shared => _services.GetRequiredService<WorkerServices>();

    public WorkerPulse Pulse => Worker.Pulse;

    /// <summary>Puts the options in force.</summary>
    public void Reload(bool enabled = true) => Settings = new(
        enabled,
        SupervisesHostedServices: true,
        ContainsUnhandledExceptions: false,
        new WorkerPolicy(Options),
        new Dictionary<string, WorkerPolicy>(),
        new Dictionary<string, WorkerGroupPolicy>());

    public CircuitBreaker AddBreaker(string name = "inventory", Action<CircuitBreakerOptions>? configure = null)
    {
        var options = new CircuitBreakerOptions { ConsecutiveFailures = 1, BreakJitter = 0, HalfOpenProbes = 1, BreakDuration = TimeSpan.FromSeconds(5) };
        configure?.Invoke(options);
        var registry = _services.GetRequiredService<CircuitBreakerRegistry>();
        registry.Apply(new(new Dictionary<string, CircuitBreakerOptions> { [name] = options }, new CircuitBreakerOptions()));
        Options.CircuitBreaker = name;
        Reload();
        return registry.Get(name);
    }

    public Bulkhead AddBulkhead(string name = "disk", Action<BulkheadOptions>? configure = null)
    {
        var options = new BulkheadOptions { MaxConcurrency = 1 };
        configure?.Invoke(options);
        var registry = _services.GetRequiredService<BulkheadRegistry>();
        registry.Apply(new(new Dictionary<string, BulkheadOptions> { [name] = options }, new BulkheadOptions()));
        Options.Bulkhead = name;
        Reload();
        return registry.Get(name);
    }

    public void Stop() => _stopping.Cancel();

    /// <summary>The next run of the same worker, as the supervision would begin it.</summary>
    public WorkerContext NextRun(int number)
    {
        Stop();
        return ContextOf(new WorkerRun(Worker, number, CancellationToken.None));
    }

    public WorkerContext ContextOf(WorkerRun run) => new(run, _services);

    /// <summary>Waits until the code under test waits for time to pass.</summary>
    public void AwaitTimer(int count = 1) => SpinWait.SpinUntil(() => Time.ArmedTimers >= count, Patience).ShouldBeTrue();

    public WorkerSilence? Silence() => Pulse.Silence(Time.GetTimestamp());

    public void Dispose()
    {
        Metrics.Dispose();
        _services.Dispose();
        _stopping.Dispose();
    }

    private sealed class Body(bool hasContext) : IWorkerBody
    {
        public bool CanReplace => true;

        public bool HasContext => hasContext;

        public bool PausesItself => hasContext;

        public Task RunAsync(WorkerRun run) => Task.CompletedTask;
    }
}

/// <summary>A service level that a test sets.</summary>
internal sealed class ScriptedLevel : IServiceLevel
{
    private ServiceLevel _current;

    public event Action<ServiceLevelChange>? Changed;

    public int Listeners => Changed?.GetInvocationList().Length ?? 0;

    public ServiceLevel Current
    {
        get => _current;
        set
        {
            var from = _current;
            _current = value;
            Changed?.Invoke(new ServiceLevelChange(from, value, default, DateTimeOffset.UnixEpoch, []));
        }
    }

    public DegradationMode Mode { get; set; } = DegradationMode.Enforce;

    public ServiceLevelSnapshot Snapshot() => throw new NotSupportedException();

    public void Override(ServiceLevel level, TimeSpan? expiresIn = null, string? by = null) => throw new NotSupportedException();

    public void ClearOverride(string? by = null) => throw new NotSupportedException();

    public ValueTask WaitUntilAtMostAsync(ServiceLevel highest, CancellationToken cancellationToken = default) => throw new NotSupportedException();
}

/// <summary>Keeps what the supervision tells.</summary>
internal sealed class RecordingEvents : IWorkerEvents
{
    private readonly Lock _gate = new();
    private readonly List<WorkerTransition> _transitions = [];

    public IReadOnlyList<WorkerTransition> Transitions
    {
        get
        {
            lock (_gate)
            {
                return [.. _transitions];
            }
        }
    }

    public IEnumerable<string> Moves => Transitions.Select(change => $"{change.From}>{change.To} {change.Cause}");

    public void Transitioned(WorkerTransition transition)
    {
        lock (_gate)
        {
            _transitions.Add(transition);
        }
    }

    public List<Exception> LateFailures { get; } = [];

    public void LateFailure(string worker, int run, Exception exception) => LateFailures.Add(exception);

    public void Abandoned(string worker, int run, TimeSpan waited, string? activity) => throw new NotSupportedException();

    public void AbandonedEnded(string worker, int run, TimeSpan after) => throw new NotSupportedException();

    public void GaveUp(Worker worker, string? group, GiveUpAction? action, Exception? exception, string why) => throw new NotSupportedException();
}
