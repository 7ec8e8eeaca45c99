using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Connections;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Tests.Connections;

/// <summary>A door whose level, descriptors, clock and configuration are set by hand.</summary>
internal sealed class DoorUnderTest : IDisposable
{
    private readonly ServiceProvider _services;
    private readonly ConnectionLog _log;

    public DoorUnderTest()
    {
        _services = new ServiceCollection()
            .AddMetrics()
            .AddLogging(logging => logging.AddProvider(Logs))
            .BuildServiceProvider();
        var meters = _services.GetRequiredService<IMeterFactory>();
        Metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, meters);
        Clock = new MonotonicClock(Time);
        _log = new ConnectionLog(_services.GetRequiredService<ILogger<ConnectionLog>>(), Clock);
        Door = new ConnectionDoor(() => new ConnectionPolicy(Options), Level, Descriptors, Clock, new ConnectionMetrics(new ResilienceMeter(meters)), _log);
    }

    public ConnectionOptions Options { get; } = new() { SurvivalConnectionsPerSecond = 100 };

    public HandSetLevel Level { get; } = new();

    public HandSetDescriptors Descriptors { get; } = new();

    public ManualTimeProvider Time { get; } = new();

    public MonotonicClock Clock { get; }

    public LogRecorder Logs { get; } = new();

    public MetricRecorder Metrics { get; }

    public ConnectionDoor Door { get; }

    public double Refused(string reason) =>
        Metrics.Sum(ResilienceDiagnostics.Instruments.ConnectionsRefused, (ResilienceDiagnostics.Tags.ConnectionRefusal, reason));

    public int Admitted(int connections) => Enumerable.Range(0, connections).Count(_ => Door.Admits());

    public void Dispose()
    {
        Door.Dispose();
        _log.Dispose();
        Metrics.Dispose();
        _services.Dispose();
    }
}
