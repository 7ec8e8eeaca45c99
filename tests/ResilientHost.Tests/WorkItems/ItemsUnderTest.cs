using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Bulkheads;
using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Tests.Workers;
using ResilientHost.Workers;
using ResilientHost.WorkItems;

namespace ResilientHost.Tests.WorkItems;

/// <summary>A worker whose runs the test begins and ends, with a sink that keeps what it is given, in a host that the test stops.</summary>
internal sealed class ItemsUnderTest : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ServiceProvider _services;
    private readonly Lifetime _lifetime = new();
    private readonly WorkerSettings _settings;
    private readonly List<CancellationTokenSource> _runs = [];

    public ItemsUnderTest(Action<WorkerOptions>? configure = null)
    {
        var options = new WorkerOptions();
        configure?.Invoke(options);
        _settings = new(
            Enabled: true,
            SupervisesHostedServices: true,
            ContainsUnhandledExceptions: false,
            new WorkerPolicy(options),
            new Dictionary<string, WorkerPolicy>(),
            new Dictionary<string, WorkerGroupPolicy>());
        _services = new ServiceCollection()
            .AddLogging(builder => builder.AddProvider(Logs))
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<IServiceLevel>(Level)
            .AddSingleton<IWorkerEvents>(Events)
            .AddSingleton<IHostApplicationLifetime>(_lifetime)
            .AddSingleton<IDeadLetterSink>(Sink)
            .AddSingleton<Func<RecoveryPolicy>>(() => new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false))
            .AddSingleton<Func<WorkerSettings>>(() => _settings)
            .AddCircuitBreaking()
            .AddBulkheads()
            .AddWorkerIterations()
            .AddWorkItems()
            .BuildServiceProvider();
        Worker = new Worker("importer", new Body(), () => _settings, new MonotonicClock(Time));
        Worker.Enter(WorkerState.Running, WorkerTransitionCause.Host, 1);
        Metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, _services.GetRequiredService<IMeterFactory>());
    }

    public ManualTimeProvider Time { get; } = new();

    public LogRecorder Logs { get; } = new();

    public ScriptedLevel Level { get; } = new();

    public RecordingEvents Events { get; } = new();

    public KeepingSink Sink { get; } = new();

    public MetricRecorder Metrics { get; }

    public Worker Worker { get; }

    public WorkerContext BeginRun()
    {
        var stopping = new CancellationTokenSource();
        _runs.Add(stopping);
        return new(new WorkerRun(Worker, _runs.Count, stopping.Token), _services);
    }

    /// <summary>Ends the run as the supervision does for a restart.</summary>
    public void EndRun() => _runs[^1].Cancel();

    /// <summary>Ends the run as the host does when it stops.</summary>
    public void StopHost()
    {
        _lifetime.StopApplication();
        EndRun();
    }

    public Task HostStoppedAsync(CancellationToken cancellationToken = default)
    {
        _lifetime.StopApplication();
        return _services.GetServices<IHostedService>().OfType<WorkItemShutdown>().Single().StoppedAsync(cancellationToken);
    }

    /// <summary>Lets time pass until the task ends.</summary>
    public async Task FinishAsync(Task task)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!task.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            Time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        await task;
    }

    /// <summary>Ends when the token is cancelled, and at no other time.</summary>
    public static Task ForeverAsync(CancellationToken token) => new TaskCompletionSource().Task.WaitAsync(token);

    /// <summary>Waits, without time passing, until something is so.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public void Dispose()
    {
        Metrics.Dispose();
        _services.Dispose();
        _lifetime.Dispose();
        _runs.ForEach(run => run.Dispose());
    }

    private sealed class Body : IWorkerBody
    {
        public bool CanReplace => true;

        public bool HasContext => true;

        public bool PausesItself => true;

        public Task RunAsync(WorkerRun run) => Task.CompletedTask;
    }

    private sealed class Lifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.Cancel();

        public void Dispose() => _stopping.Dispose();
    }
}

/// <summary>Keeps letters; refuses as often as the test says.</summary>
internal sealed class KeepingSink : IDeadLetterSink
{
    private readonly Lock _gate = new();
    private readonly List<DeadLetter> _letters = [];
    private int _refusals;
    private int _asked;

    public int Refusals
    {
        get => Volatile.Read(ref _refusals);
        set => Volatile.Write(ref _refusals, value);
    }

    public int Asked => Volatile.Read(ref _asked);

    public IReadOnlyList<DeadLetter> Letters
    {
        get
        {
            lock (_gate)
            {
                return [.. _letters];
            }
        }
    }

    public IEnumerable<string> Items => Letters.Select(letter => letter.Item);

    public ValueTask WriteAsync(DeadLetter letter, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            _asked++;
            if (_refusals > 0)
            {
                _refusals--;
                throw new IOException("The disk is full.");
            }

            _letters.Add(letter);
            return ValueTask.CompletedTask;
        }
    }
}
