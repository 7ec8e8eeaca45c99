using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.IsolatedTasks;
using ResilientHost.Recovery;

namespace ResilientHost.Tests.IsolatedTasks;

/// <summary>The slice with its options, a manual clock, and what it logs and measures.</summary>
internal sealed class TasksUnderTest : IDisposable
{
    /// <summary>How long a test waits for what must happen before it calls it missing. Never a measure of speed.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ServiceProvider _services;

    public TasksUnderTest(IsolatedTaskOptions? options = null, Action<ILoggingBuilder>? logging = null)
    {
        Policy = new IsolatedTaskPolicy(options ?? new());
        var recovery = new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false);
        _services = new ServiceCollection()
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<Func<IsolatedTaskPolicy>>(() => Policy)
            .AddSingleton<Func<RecoveryPolicy>>(() => recovery)
            .AddIsolatedTasks()
            .AddLogging(logging ?? (builder => builder.AddProvider(Logs).Configure(options => options.ActivityTrackingOptions = ActivityTrackingOptions.TraceId)))
            .BuildServiceProvider();
        Runner = _services.GetRequiredService<IsolatedTaskRunner>();
        Metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, _services.GetRequiredService<IMeterFactory>());
    }

    public IsolatedTaskPolicy Policy { get; set; }

    public ManualTimeProvider Time { get; } = new();

    public LogRecorder Logs { get; } = new();

    public MetricRecorder Metrics { get; }

    public IsolatedTaskRunner Runner { get; }

    public IIsolatedTasks Tasks => Runner;

    public ILogger Logger => _services.GetRequiredService<ILoggerFactory>().CreateLogger("application");

    public int Live => Runner.Snapshot().Sum(track => track.Live);

    /// <summary>The messages of one event of the slice.</summary>
    public IReadOnlyList<RecordedLog> Entries(int id) => [.. Logs.Entries.Where(entry => entry.EventId.Id == 2400 + id)];

    public void Dispose()
    {
        Metrics.Dispose();
        _services.Dispose();
    }
}
