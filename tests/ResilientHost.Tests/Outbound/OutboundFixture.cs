using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Bulkheads;
using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

/// <summary>The state of outbound clients under manual time, without a host.</summary>
internal sealed class OutboundFixture : IDisposable
{
    private readonly ServiceProvider _services;

    public OutboundFixture(Action<HttpClientResilienceOptions>? configure = null)
    {
        _services = new ServiceCollection()
            .AddSingleton<TimeProvider>(Time)
            .AddLogging(logging => logging.AddProvider(Logs).SetMinimumLevel(LogLevel.Debug))
            .AddCircuitBreaking()
            .AddBulkheads()
            .BuildServiceProvider();
        Metrics = new(ResilienceDiagnostics.MeterName, _services.GetRequiredService<IMeterFactory>());
        Clients = new(CircuitBreakers, Bulkheads, _services.GetRequiredService<MonotonicClock>());
        Apply(configure);
    }

    public ManualTimeProvider Time { get; } = new();

    public LogRecorder Logs { get; } = new();

    public MetricRecorder Metrics { get; }

    public MonotonicClock Clock => _services.GetRequiredService<MonotonicClock>();

    public CircuitBreakerRegistry CircuitBreakers => _services.GetRequiredService<CircuitBreakerRegistry>();

    public BulkheadRegistry Bulkheads => _services.GetRequiredService<BulkheadRegistry>();

    public OutboundClients Clients { get; }

    public OutboundClient Client => Clients.GetOrAdd("pricing");

    public static HttpClientResilienceOptions Options(Action<HttpClientResilienceOptions>? configure)
    {
        HttpClientResilienceOptions options = new();
        configure?.Invoke(options);
        return options;
    }

    public void Apply(Action<HttpClientResilienceOptions>? configure, bool enabled = true) =>
        Clients.Apply(new(enabled, Options(configure), new Dictionary<string, HttpClientResilienceOptions>(StringComparer.OrdinalIgnoreCase)));

    public void Dispose()
    {
        Metrics.Dispose();
        _services.Dispose();
        Logs.Dispose();
    }
}
