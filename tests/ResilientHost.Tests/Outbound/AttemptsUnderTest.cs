using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Bulkheads;
using ResilientHost.Hosting;
using ResilientHost.Outbound;
using ResilientHost.Telemetry;

namespace ResilientHost.Tests.Outbound;

/// <summary>One client with its layers, its telemetry recorded, under manual time; no transport.</summary>
internal sealed class AttemptsUnderTest : IDisposable
{
    private readonly CertificateTelemetry _certificates;
    private readonly ServiceProvider _provider = new ServiceCollection().AddMetrics().AddLogging().BuildServiceProvider();
    private readonly ILoggerFactory _loggers;
    private readonly CircuitBreakerRegistry _circuitBreakers;
    private readonly BulkheadRegistry _bulkheads;

    public AttemptsUnderTest(Action<HttpClientResilienceOptions>? configure = null, ILoggerProvider? logger = null)
    {
        var options = new HttpClientResilienceOptions { CircuitBreaker = { ConsecutiveFailures = 3 } };
        configure?.Invoke(options);
        Clock = new(Time);
        _loggers = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(logger ?? Logs));
        var meter = new ResilienceMeter(_provider.GetRequiredService<IMeterFactory>());
        _circuitBreakers = new(Time, _loggers.CreateLogger<CircuitBreakerRegistry>(), meter);
        _bulkheads = new(meter, _loggers.CreateLogger<BulkheadRegistry>(), Clock);
        Client = new("pricing", options, enabled: true, _circuitBreakers, _bulkheads, Clock);
        Telemetry = new(meter, Clock, _loggers.CreateLogger<OutboundTelemetry>());
        _certificates = new(_loggers.CreateLogger<CertificateTelemetry>(), Clock, meter);
        Services = new(Clock, Telemetry, new OutboundHedging(Clock), new CertificateWatches(Clock, _certificates));
        Metrics = new(ResilienceDiagnostics.MeterName, _provider.GetRequiredService<IMeterFactory>());
    }

    public static Uri Address { get; } = new("https://prices.example/list");

    public ManualTimeProvider Time { get; } = new();

    public MonotonicClock Clock { get; }

    public LogRecorder Logs { get; } = new();

    public MetricRecorder Metrics { get; }

    public OutboundClient Client { get; }

    public OutboundTelemetry Telemetry { get; }

    public OutboundServices Services { get; }

    public OutboundAuthority Authority => Client.Of(Address);

    /// <summary>A call that only says what it is: nothing can be sent with it.</summary>
    public OutboundCall Call(HttpMethod? method = null) => new()
    {
        Handler = null!,
        Services = Services,
        Client = Client,
        Authority = Authority,
        Policy = Client.Policy,
        Resilience = null,
        Inbound = null,
        Request = new HttpRequestMessage(method ?? HttpMethod.Get, Address),
        CallerToken = CancellationToken.None,
        IsSynchronous = false,
        Started = Clock.Timestamp(),
        Ends = long.MaxValue,
        EndReason = RefusalReason.Timeout,
        AttemptTimeout = Client.Policy.AttemptTimeout,
        MaxAttempts = 1,
    };

    public void Dispose()
    {
        Telemetry.Dispose();
        _certificates.Dispose();
        Metrics.Dispose();
        _circuitBreakers.Dispose();
        _bulkheads.Dispose();
        _loggers.Dispose();
        _provider.Dispose();
    }
}
