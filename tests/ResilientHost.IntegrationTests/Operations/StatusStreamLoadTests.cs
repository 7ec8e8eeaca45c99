using System.Diagnostics;
using System.Net.Sockets;

namespace ResilientHost.IntegrationTests.Operations;

/// <summary>Pages in great number, and pages that do not read: what they cost is measured, so nothing runs beside them.</summary>
[Collection(nameof(StatusStreamLoadTests))]
[CollectionDefinition(nameof(StatusStreamLoadTests), DisableParallelization = true)]
public sealed class StatusStreamLoadTests
{
    [Fact]
    public async Task ThousandStreams_AllAreTold_FurtherOnesAreRefused_AndRequestsStayQuick()
    {
        const int many = 1000;
        await using var service = await StatusStreamTests.StartAsync(
            $$"""{ "Dashboard": { "MaxStreams": {{many}}, "MaxStreamsPerUser": 10 }, "CircuitBreakers": { "orders": { } } }""");
        (await service.StatusOfAsync("/fine")).ShouldBe(200);
        var before = Memory();
        var streams = new List<EventStream>(many);
        var readers = new List<Task<long>>(many);
        for (var i = 0; i < many; i++)
        {
            var stream = await EventStream.OpenAsync(service, $"user-{i / 10}");
            streams.Add(stream);
            readers.Add(Task.Run(async () =>
            {
                await stream.LineAsync("\"state\":\"isolated\"", TimeSpan.FromMinutes(2));
                return Stopwatch.GetTimestamp();
            }));
        }

        StatusStreamTests.Streams(service).Open.ShouldBe(many);
        for (var i = 0; i < 50; i++)
        {
            using var request = OperationsService.Request(HttpMethod.Get, "/resilience/events", i % 2 == 0 ? "user-0" : "latecomer");
            using var refused = await service.SendAsync(request);
            ((int)refused.StatusCode).ShouldBe(i % 2 == 0 ? 429 : 503);
        }

        // Requests while a thousand pages are told: over three seconds, for the pages' ticks to be among them.
        var durations = new List<TimeSpan>();
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(15));
        for (var i = 0; i < 200; i++)
        {
            var start = Stopwatch.GetTimestamp();
            (await service.StatusOfAsync("/fine")).ShouldBe(200);
            durations.Add(Stopwatch.GetElapsedTime(start));
            await pace.WaitForNextTickAsync();
        }

        durations.Sort();
        var isolatedAt = Stopwatch.GetTimestamp();
        StatusStreamTests.Orders(service).Isolate();
        var told = (await Task.WhenAll(readers)).Select(at => Stopwatch.GetElapsedTime(isolatedAt, at)).Order().ToList();
        var grown = (Memory() - before) / 1024.0 / 1024;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"requests: median {durations[100].TotalMilliseconds:0.0} ms, p99 {durations[197].TotalMilliseconds:0.0} ms; told: median {told[many / 2].TotalMilliseconds:0} ms, last {told[^1].TotalMilliseconds:0} ms; {grown:0} MB more (clients and server together)");
        durations[100].ShouldBeLessThan(TimeSpan.FromMilliseconds(250));
        grown.ShouldBeLessThan(200);

        // In a breath, and without an exception for each that the host would wait for.
        var stopping = Stopwatch.GetTimestamp();
        await service.Services.GetRequiredService<IHost>().StopAsync();
        Stopwatch.GetElapsedTime(stopping).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        streams.ForEach(static stream => stream.Dispose());
        await StatusStreamTests.OpenStreamsAsync(service, 0);
        service.ShouldHaveLoggedNoError();

        static long Memory() => GC.GetTotalMemory(forceFullCollection: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SlowReader_IsBounded_HoldsNobodyUp_AndIsClosed(bool stops)
    {
        var time = new ManualTimeProvider();
        var names = string.Join(", ", Enumerable.Range(0, 2000).Select(static i => $$"""  "circuit-with-a-name-of-some-length-{{i}}": { }"""));
        await using var service = await StatusStreamTests.StartAsync($$"""{ "CircuitBreakers": { "orders": { }, "last": { }, {{names}} } }""", time);
        using var slow = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(IPAddress.Loopback, service.Client().BaseAddress!.Port);
        await slow.SendAsync("GET /resilience/events HTTP/1.1\r\nHost: localhost\r\nX-User: slow\r\n\r\n"u8.ToArray());
        await StatusStreamTests.OpenStreamsAsync(service, 1);
        using var good = await EventStream.OpenAsync(service, "good");
        await good.NextAsync("status");

        // Each round is told in a megabyte or so, which nobody at the other end of the slow one takes: all of them would be twice what is allowed.
        var rounds = stops ? 20 : 200;
        var circuits = service.Services.GetRequiredService<CircuitBreakerRegistry>();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var round = 0; round < rounds; round++)
        {
            foreach (var circuit in circuits.All.Where(static circuit => circuit.Name != "last"))
            {
                if (round % 2 == 0)
                {
                    circuit.Isolate();
                }
                else
                {
                    circuit.Reset();
                }
            }

            await good.CircuitAsync("circuit-with-a-name-of-some-length-1999", round % 2 == 0 ? "isolated" : "closed");
        }

        ((GC.GetTotalMemory(forceFullCollection: true) - before) / 1024 / 1024).ShouldBeLessThan(100);
        StatusStreamTests.Streams(service).Open.ShouldBe(2);
        if (stops)
        {
            var start = Stopwatch.GetTimestamp();
            await service.Services.GetRequiredService<IHost>().StopAsync();
            Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(10));
            return;
        }

        // Slowly enough for the one that reads to keep up.
        var reading = good.CircuitAsync("last", "isolated");
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        await TestService.EventuallyAsync(
            async () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                await pace.WaitForNextTickAsync();
                return StatusStreamTests.Streams(service).Open == 1;
            },
            "the page that does not read is closed");
        circuits.Get("last").Isolate();
        await reading;
    }
}
