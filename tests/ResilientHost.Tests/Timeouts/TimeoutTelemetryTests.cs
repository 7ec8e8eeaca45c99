using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;
using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Timeouts;

public sealed class TimeoutTelemetryTests : IDisposable
{
    private const string Endpoint = "GET /orders/{id}";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _entries = new();
    private readonly ServiceProvider _services;
    private readonly TimeoutLog _log;

    public TimeoutTelemetryTests()
    {
        _services = new ServiceCollection().AddMetrics().AddLogging(builder => builder.AddProvider(_entries)).BuildServiceProvider();
        var policy = new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false);
        _log = new TimeoutLog(_services.GetRequiredService<ILogger<TimeoutLog>>(), () => policy, new MonotonicClock(_time));
    }

    public void Dispose()
    {
        _log.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void Overran_Storm_IsOneEntryAndOneLineOfEachEndpoint()
    {
        for (var i = 0; i < 1_000; i++)
        {
            _log.Overran(Endpoint, Timeout, Grace, "trace");
        }

        _log.Overran("GET /other", Timeout, Grace, "trace");
        _entries.Entries.Select(entry => (entry.EventId.Id, entry.Level)).ShouldBe([(1302, LogLevel.Warning), (1302, LogLevel.Warning)]);
        _entries.Entries[0].Message.ShouldStartWith($"{Endpoint} did not return within 1 s of being cancelled by its timeout of 2.5 s;");
        _time.Advance(TimeSpan.FromSeconds(10));

        _entries.Entries.Count.ShouldBe(3);
        (_entries.Entries[2].EventId.Id, _entries.Entries[2].Message).ShouldBe(
            (1303, $"{Endpoint} ignored its timeout 999 more times within 10 s; the connections or streams were aborted."));
        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public void Expired_Storm_IsToldApartFromOverruns()
    {
        _log.Overran(Endpoint, Timeout, Grace, "trace");
        _log.Expired(Endpoint, Timeout, "trace");
        _log.Expired(Endpoint, Timeout, "trace");
        _log.Flush();

        _entries.Entries.Select(entry => entry.EventId.Id).ShouldBe([1302, 1300, 1301]);
        _entries.Entries[1].Message.ShouldBe($"{Endpoint} did not begin its answer within 2.5 s and was cancelled. Trace trace. Further ones are counted and summed up.");
        _entries.Entries[2].Message.ShouldBe($"{Endpoint} ran into its timeout 1 more times within 10 s.");
    }

    [Fact]
    public void Log_MoreEndpointsThanTheTable_StaysBounded()
    {
        for (var i = 0; i < 5_000; i++)
        {
            _log.Overran($"GET /{i}", Timeout, Grace, "trace");
        }

        _entries.Entries.Count.ShouldBeLessThanOrEqualTo(StormGate.MaxFingerprints + 1);
    }

    [Fact]
    public void Log_EndpointNamedWithLineBreaks_ForgesNoLine()
    {
        _log.Overran("GET /a\r\nfatal: forged", Timeout, Grace, "trace");

        _entries.Entries[0].Message.ShouldNotContain('\n');
    }

    [Fact]
    public void Dispose_WithCountedOnes_TellsThem()
    {
        _log.Overran(Endpoint, Timeout, Grace, "trace");
        _log.Overran(Endpoint, Timeout, Grace, "trace");
        _log.Dispose();

        _entries.Entries.Select(entry => entry.EventId.Id).ShouldBe([1302, 1303]);
    }

    [Fact]
    public void Log_LoggerThrows_ReachesNobody()
    {
        var policy = new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false);
        using var log = new TimeoutLog(new ThrowingLogger(), () => policy, new MonotonicClock(_time));

        Should.NotThrow(() =>
        {
            log.Expired(Endpoint, Timeout, "trace");
            log.Overran(Endpoint, Timeout, Grace, "trace");
            log.Overran(Endpoint, Timeout, Grace, "trace");
            _time.Advance(TimeSpan.FromMinutes(1));
        });
    }

    [Fact]
    public void Metrics_CountByEndpoint()
    {
        var meter = new ResilienceMeter(_services.GetRequiredService<IMeterFactory>());
        using var recorder = new MetricRecorder(ResilienceDiagnostics.MeterName, meter.Meter.Scope);
        var metrics = new TimeoutMetrics(meter);
        metrics.Expired(Endpoint);
        metrics.Expired(Endpoint);
        metrics.Overran(Endpoint);

        recorder.Sum(ResilienceDiagnostics.Instruments.TimeoutExpired, (ResilienceDiagnostics.Tags.Endpoint, Endpoint)).ShouldBe(2);
        recorder.Sum(ResilienceDiagnostics.Instruments.TimeoutOverruns, (ResilienceDiagnostics.Tags.Endpoint, Endpoint)).ShouldBe(1);
    }

    [Fact]
    public void Metrics_ListenerThrows_ReachesNobody()
    {
        var meter = new ResilienceMeter(_services.GetRequiredService<IMeterFactory>());
        using var listener = new MeterListener { InstrumentPublished = static (instrument, self) => self.EnableMeasurementEvents(instrument) };
        var metrics = new TimeoutMetrics(meter);
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, meter.Meter))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("listener"));
        listener.Start();

        Should.NotThrow(() => metrics.Overran(Endpoint));
    }

    private sealed class ThrowingLogger : ILogger<TimeoutLog>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("logger");
    }
}
