using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace ResilientHost.IntegrationTests.Soak;

/// <summary>The service of the soak on a real Kestrel. Logs, metrics and spans have listeners that keep nothing: the heap shows the service's own.</summary>
internal sealed class SoakService : IAsyncDisposable
{
    private static readonly string[] Configurations =
    [
        Configuration(fallbacks: 10, fallbackTimeout: "00:00:00.100", narrow: 2, failures: 3),
        Configuration(fallbacks: 3, fallbackTimeout: "00:00:00.150", narrow: 3, failures: 2),

        // Not valid: what stood stays.
        Configuration(fallbacks: -1, fallbackTimeout: "00:00:00.100", narrow: 2, failures: 3),
    ];

    private readonly WebApplication _app;
    private readonly ScriptedServer _dependency;
    private readonly TestConfiguration _configuration;
    private readonly CountingLogs _logs;
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities = new()
    {
        ShouldListenTo = static source => source.Name == ResilienceDiagnostics.ActivitySourceName,
        Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
    };

    private readonly HttpClient _observer;

    private SoakService(WebApplication app, ScriptedServer dependency, TestConfiguration configuration, CountingLogs logs)
    {
        (_app, _dependency, _configuration, _logs) = (app, dependency, configuration, logs);
        _meters.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == ResilienceDiagnostics.MeterName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<long>(static (_, _, _, _) => { });
        _meters.SetMeasurementEventCallback<double>(static (_, _, _, _) => { });
        _meters.Start();
        ActivitySource.AddActivityListener(_activities);
        _observer = new HttpClient { BaseAddress = Address(Wire.Http1), Timeout = TestService.Patience };
    }

    /// <summary>Reloads of the configuration so far.</summary>
    public int Reloads { get; private set; }

    /// <summary>Entries logged, by level.</summary>
    public IReadOnlyDictionary<LogLevel, long> Logged => _logs.Counts;

    public static async Task<SoakService> StartAsync()
    {
        var dependency = await ScriptedServer.StartAsync(new ScriptedServerOptions { MaxRecordedRequests = 64 });
        dependency.Default.RepliesInCycle(SoakEndpoints.Dependency);
        var configuration = new TestConfiguration(Configurations[0]);
        var logs = new CountingLogs();
        var builder = WebApplication.CreateSlimBuilder();
        ((IConfigurationBuilder)builder.Configuration).Add(configuration);
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Information).AddProvider(logs);
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddSingleton(_ => dependency.CreateClient());
        builder.AddResilienceLayers();

        var app = builder.Build();
        app.UseResilienceLayers();
        foreach (var endpoint in SoakEndpoints.All)
        {
            endpoint.Map(app, endpoint.Pattern);
        }

        app.MapResilienceStatus("/resilience").AllowAnonymous();
        await app.StartAsync();
        return new SoakService(app, dependency, configuration, logs);
    }

    public Uri Address(Wire wire) => new(_app.Urls.ElementAt((int)wire));

    /// <summary>Turns down what is sheddable, for a while.</summary>
    public void Degrade() => _app.Services.GetRequiredService<IServiceLevel>().Override(ServiceLevel.Reduced, TimeSpan.FromSeconds(1));

    /// <summary>The next configuration; every third one is not valid.</summary>
    public void Reload() => _configuration.Replace(Configurations[++Reloads % Configurations.Length]);

    /// <summary>Waits until bulkheads and fallbacks hold nothing and nobody queues.</summary>
    /// <returns>What is still held when patience is over; empty.</returns>
    public async Task<IReadOnlyList<string>> HeldAsync()
    {
        using var patience = new CancellationTokenSource(TestService.Patience);
        while (true)
        {
            using var status = JsonDocument.Parse(await _observer.GetStringAsync("/resilience/status"));
            string[] held =
            [
                .. from bulkhead in status.RootElement.GetProperty("bulkheads").EnumerateArray()
                   where bulkhead.GetProperty("inFlight").GetInt32() != 0 || bulkhead.GetProperty("queued").GetInt32() != 0
                   select bulkhead.GetRawText(),
                .. from fallback in status.RootElement.GetProperty("fallbacks").EnumerateArray()
                   where fallback.GetProperty("inFlight").GetInt32() != 0
                   select fallback.GetRawText(),
            ];
            if (held.Length == 0 || patience.IsCancellationRequested)
            {
                return held;
            }

            await Task.Delay(10);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _observer.Dispose();
        await _app.DisposeAsync();
        await _dependency.DisposeAsync();
        _meters.Dispose();
        _activities.Dispose();
    }

    private static string Configuration(int fallbacks, string fallbackTimeout, int narrow, int failures) =>
        $$"""
        { "Timeouts": { "Grace": "00:00:00.100" },
          "Fallbacks": { "MaxConcurrency": {{fallbacks}}, "Timeout": "{{fallbackTimeout}}", "MaxStaleStoreBytes": 1048576 },
          "Bulkheads": { "narrow": { "MaxConcurrency": {{narrow}}, "QueueLength": 2, "QueueTimeout": "00:00:00.020" },
                         "newest": { "MaxConcurrency": {{narrow}}, "QueueLength": 3, "QueueTimeout": "00:00:00.020", "QueueOrder": "NewestFirst" },
                         "tenants": { "MaxConcurrency": {{narrow}}, "QueueLength": 4, "QueueTimeout": "00:00:00.050", "PartitionBy": "RouteValue:n", "MaxPartitions": 500, "PartitionWeights": { "0": 2 } },
                         "learned": { "MaxConcurrency": 32, "Adaptive": "{{(narrow % 2 == 0 ? "Aimd" : "Gradient2")}}" } },
          "Degradation": { "Mode": "Shadow" },
          "CircuitBreakers": { "keyed": { "ConsecutiveFailures": {{failures}}, "BreakDuration": "00:00:00.200", "PartitionBy": "RouteValue:n", "MaxPartitions": 1000 },
                               "crowd": { "ConsecutiveFailures": {{failures}}, "BreakDuration": "00:00:00.100", "MinimumDistinctCallers": 2, "CallerBy": "RouteValue:n" },
                               "flaky": { "ConsecutiveFailures": {{failures}}, "BreakDuration": "00:00:00.200", "MaxBreakDuration": "00:00:00.500" } } }
        """;

    /// <summary>Formats every entry, as a real provider does, and keeps its level alone.</summary>
    private sealed class CountingLogs : ILoggerProvider, ILogger
    {
        private readonly ConcurrentDictionary<LogLevel, long> _counts = new();

        public IReadOnlyDictionary<LogLevel, long> Counts => _counts;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            _ = formatter(state, exception);
            _counts.AddOrUpdate(logLevel, 1, static (_, count) => count + 1);
        }

        public void Dispose()
        {
        }
    }
}
