using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>A plain generic host with workers whose every end a test decides, and recorders. In manual time unless told otherwise.</summary>
internal sealed class WorkerBench : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<WorkerTransition> _transitions = [];
    private readonly IHost _host;
    private bool _stopped;

    private WorkerBench(IHost host, LogRecorder logs, TestConfiguration configuration, ManualTimeProvider time)
    {
        (_host, Logs, Configuration, Time) = (host, logs, configuration, time);
        Metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, host.Services.GetRequiredService<IMeterFactory>());
        Workers = host.Services.GetRequiredService<WorkerRegistry>();
        Workers.Transitioned += transition =>
        {
            lock (_gate)
            {
                _transitions.Add(transition);
            }
        };
    }

    public LogRecorder Logs { get; }

    public MetricRecorder Metrics { get; }

    public TestConfiguration Configuration { get; }

    public ManualTimeProvider Time { get; }

    public WorkerRegistry Workers { get; }

    public IServiceProvider Services => _host.Services;

    public bool IsStopping => Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested;

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

    public static WorkerBench Build(string configuration, Action<IServiceCollection> services, bool hasManualTime = true)
    {
        var logs = new LogRecorder();
        var source = new TestConfiguration(configuration);
        var time = new ManualTimeProvider();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        ((IConfigurationBuilder)builder.Configuration).Add(source);
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddProvider(logs);
        if (hasManualTime)
        {
            builder.Services.AddSingleton<TimeProvider>(time);
        }

        builder.AddResilienceLayers();
        services(builder.Services);
        return new WorkerBench(builder.Build(), logs, source, time);
    }

    public static async Task<WorkerBench> StartAsync(string configuration, Action<IServiceCollection> services, bool hasManualTime = true)
    {
        var bench = Build(configuration, services, hasManualTime);
        try
        {
            await bench._host.StartAsync();
        }
        catch
        {
            // Nobody stops a host that did not start.
            bench._stopped = true;
            await bench.DisposeAsync();
            throw;
        }

        return bench;
    }

    public static Task<WorkerBench> StartAsync(string configuration, params (string Name, Script Script)[] scripts) =>
        StartAsync(configuration, services =>
        {
            foreach (var (name, script) in scripts)
            {
                services.AddResilientWorker(name, script.Make);
            }
        });

    public static async Task<string> FailToStartAsync(string configuration, Action<IServiceCollection> services)
    {
        Exception? error = null;
        try
        {
            await using var bench = await StartAsync(configuration, services);
        }
        catch (Exception thrown)
        {
            error = thrown;
        }

        return error.ShouldNotBeNull("The host started.").ToString();
    }

    public static Task EventuallyAsync(Func<bool> condition, string what) => TestService.EventuallyAsync(() => Task.FromResult(condition()), what);

    public Task BecomesAsync(string name, WorkerState state) =>
        EventuallyAsync(() => Workers.Get(name).State == state, $"'{name}' is {state}; it is {Workers.Get(name).State}");

    public Task ToldAsync(Func<WorkerTransition, bool> which, string what) => EventuallyAsync(() => Transitions.Any(which), $"transition {what}");

    /// <summary>Gives what must not happen a chance to happen.</summary>
    public static Task BreatheAsync() => Task.Delay(40);

    public async Task StopAsync()
    {
        _stopped = true;
        await _host.StopAsync().WaitAsync(TestService.Patience);
    }

    public IReadOnlyList<RecordedLog> LogsAbout(string marker) =>
        [.. Logs.Entries.Where(entry => entry.Message.Contains(marker, StringComparison.Ordinal) || entry.Exception?.ToString().Contains(marker, StringComparison.Ordinal) == true)];

    public async ValueTask DisposeAsync()
    {
        if (!_stopped)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            try
            {
                await _host.StopAsync(limit.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or AggregateException)
            {
                // What a test left hanging is of no interest any more.
            }
        }

        _host.Dispose();
        Metrics.Dispose();
    }
}
