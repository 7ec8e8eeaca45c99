using System.Diagnostics;
using System.Net.Sockets;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.IntegrationTests.Telemetry;

/// <summary>A collector that is down, slow or unwilling is the collector's trouble, never a request's.</summary>
[Collection(nameof(TelemetryCollection))]
public sealed class CollectorFaultTests(ITestOutputHelper output)
{
    private const int Requests = 300;

    public enum Fault
    {
        Closed,
        Hangs,
        Fails,
    }

    public static TheoryData<Fault, string> Faults { get; } = new MatrixTheoryData<Fault, string>([Fault.Closed, Fault.Hangs, Fault.Fails], ["grpc", "http/protobuf"]);

    [Theory, MemberData(nameof(Faults))]
    public async Task Collector_Faulty_RequestsGoOnAndHostStopsInTime(Fault fault, string protocol)
    {
        await using var receiver = fault == Fault.Closed ? null : await OtlpReceiver.StartAsync(fault == Fault.Hangs ? OtlpMood.Hangs : OtlpMood.Fails);
        TimeSpan healthy;
        await using (var plain = await TestService.StartAsync(TelemetryService.Setup(endpoint: null)))
        {
            healthy = (await AskAsync(plain)).Median;
        }

        var service = await TestService.StartAsync(TelemetryService.Setup(
            receiver?.EndpointOf(protocol) ?? ClosedPort(), protocol, configure: null,
            ("OTEL_BSP_MAX_QUEUE_SIZE", "64"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "32"), ("OTEL_BLRP_MAX_QUEUE_SIZE", "64"), ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "32")));
        var (faulty, slowest) = await AskAsync(service);

        // Generous: the machine is shared. One request that waits for a collector would take the exporter's 10 s.
        slowest.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        faulty.ShouldBeLessThan((healthy * 3) + TimeSpan.FromMilliseconds(20));
        if (fault == Fault.Hangs)
        {
            service.ValueOf(Instruments.TelemetryDropped, (Tags.TelemetrySignal, TelemetryTagValues.Traces), (Tags.TelemetryDropReason, TelemetryTagValues.QueueFull)).ShouldBeGreaterThan(0);
            service.ValueOf(Instruments.TelemetryDropped, (Tags.TelemetrySignal, TelemetryTagValues.Logs), (Tags.TelemetryDropReason, TelemetryTagValues.QueueFull)).ShouldBeGreaterThan(0);
            await service.Logs.WaitForAsync(log => log.Message.StartsWith("The queue of traces", StringComparison.Ordinal), TestService.Patience);
        }
        else
        {
            await TestService.EventuallyAsync(
                () => Task.FromResult(service.ValueOf(Instruments.TelemetryDropped, (Tags.TelemetrySignal, TelemetryTagValues.Traces), (Tags.TelemetryDropReason, TelemetryTagValues.ExportFailed)) > 0),
                "spans counted as lost");
            var told = await service.Logs.WaitForAsync(log => log.Message.Contains("of traces could not be exported", StringComparison.Ordinal), TestService.Patience);
            output.WriteLine(told.Message);
            told.Message.ShouldNotContain("no reason given");
            service.Logs.Entries.Count(log => log.Message.Contains("items of traces could not be exported", StringComparison.Ordinal)).ShouldBe(1);
        }

        var stopping = Stopwatch.StartNew();
        await service.DisposeAsync();
        stopping.Stop();

        output.WriteLine($"{fault} {protocol}: median {healthy.TotalMilliseconds:F2} ms without, {faulty.TotalMilliseconds:F2} ms with, {slowest.TotalMilliseconds:F2} ms at most; stopped within {stopping.ElapsedMilliseconds} ms.");

        // Bound of the flush: 2 s. The rest is the host's.
        stopping.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task Collector_HangsWhileHostStops_StopIsBounded()
    {
        await using var receiver = await OtlpReceiver.StartAsync(OtlpMood.Hangs);
        await using var service = await TestService.StartAsync(TelemetryService.Setup(receiver.EndpointOf("grpc")));
        await service.StatusOfAsync("/products/1");
        await TestService.EventuallyAsync(() => Task.FromResult(!receiver.Requests.IsEmpty), "an export that hangs");

        var stopping = Stopwatch.StartNew();
        await service.Services.GetRequiredService<IHost>().StopAsync();
        stopping.Stop();

        output.WriteLine($"Stopped within {stopping.ElapsedMilliseconds} ms.");
        stopping.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(6));
        service.Logs.Entries.ShouldContain(log => log.Message.StartsWith("Not all telemetry could be delivered", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Collector_Returns_ReceivesFromThenOn()
    {
        await using var receiver = await OtlpReceiver.StartAsync(OtlpMood.Fails);
        await using var service = await TestService.StartAsync(TelemetryService.Setup(receiver.EndpointOf("grpc")));
        await service.StatusOfAsync("/products/1");
        await TestService.EventuallyAsync(() => Task.FromResult(service.ValueOf(Instruments.TelemetryDropped, (Tags.TelemetrySignal, TelemetryTagValues.Traces)) > 0), "lost spans");

        receiver.Mood = OtlpMood.Takes;
        await service.StatusOfAsync("/products/2");

        await TestService.EventuallyAsync(() => Task.FromResult(receiver.Spans.Any(span => span.Name == "GET /products/{id}")), "the span");
        await TestService.EventuallyAsync(
            () => Task.FromResult(receiver.Metrics.Any(metric => metric.Name == Instruments.TelemetryDropped && metric.Points.Any(point => point.Value > 0))),
            "what was lost, told by the metric");
    }

    [Theory]
    [InlineData("grpc", Fault.Closed)]
    [InlineData("http/protobuf", Fault.Closed)]
    [InlineData("http/protobuf", Fault.Fails)]
    public async Task Loss_OfEndpointWithKeys_IsToldWithoutThem(string protocol, Fault fault)
    {
        await using var receiver = fault == Fault.Closed ? null : await OtlpReceiver.StartAsync(OtlpMood.Fails);
        var address = new Uri(receiver?.EndpointOf(protocol) ?? ClosedPort());
        await using var service = await TestService.StartAsync(TelemetryService.Setup(
            $"http://user:secret@{address.Authority}/in/key-4711?key=hidden", protocol, configure: null, ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=header-1234")));

        await service.StatusOfAsync("/products/1");
        var told = await service.Logs.WaitForAsync(log => log.Message.Contains("of traces could not be exported", StringComparison.Ordinal), TestService.Patience);

        output.WriteLine(told.Message);
        told.Message.ShouldContain(address.Authority);
        told.Message.ShouldNotContain("no reason given");
        foreach (var secret in (string[])["secret", "4711", "hidden", "1234"])
        {
            service.Logs.Entries.ShouldAllBe(log => !log.Category.StartsWith("ResilientHost.Telemetry", StringComparison.Ordinal) || !log.Message.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("cumulative", "go out with the next export")]
    [InlineData("delta", "are lost")]
    public async Task Metrics_NotTaken_AreLostOnlyWhereTheNextExportDoesNotRepeatThem(string temporality, string fate)
    {
        await using var receiver = await OtlpReceiver.StartAsync(OtlpMood.Fails);
        await using var service = await TestService.StartAsync(TelemetryService.Setup(
            receiver.EndpointOf("grpc"), "grpc", configure: null, ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality)));

        var told = await service.Logs.WaitForAsync(log => log.Message.Contains("of metrics could not be exported", StringComparison.Ordinal), TestService.Patience);

        told.Message.ShouldContain(fate);
        service.ValueOf(Instruments.TelemetryExports, (Tags.TelemetrySignal, TelemetryTagValues.Metrics), (Tags.TelemetryResult, TelemetryTagValues.Failed)).ShouldBeGreaterThan(0);
        if (temporality == "delta")
        {
            // The first export may be one of nothing: with deltas, only what has changed since is in it.
            await TestService.EventuallyAsync(
                () => Task.FromResult(service.ValueOf(Instruments.TelemetryDropped, (Tags.TelemetrySignal, TelemetryTagValues.Metrics)) > 0), "measurements are counted as lost");
        }
        else
        {
            service.ValueOf(Instruments.TelemetryDropped, (Tags.TelemetrySignal, TelemetryTagValues.Metrics)).ShouldBe(0);
        }
    }

    private static async Task<(TimeSpan Median, TimeSpan Slowest)> AskAsync(TestService service)
    {
        await service.StatusOfAsync("/products/0");
        var times = new List<TimeSpan>(Requests);
        for (var i = 0; i < Requests; i++)
        {
            var started = Stopwatch.GetTimestamp();
            (await service.StatusOfAsync("/products/1")).ShouldBe(200);
            times.Add(Stopwatch.GetElapsedTime(started));
        }

        times.Sort();
        return (times[Requests / 2], times[^1]);
    }

    private static string ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
    }
}
