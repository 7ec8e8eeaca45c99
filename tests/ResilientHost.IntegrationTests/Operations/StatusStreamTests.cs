using System.Diagnostics;
using ResilientHost.Dashboard;

namespace ResilientHost.IntegrationTests.Operations;

public sealed class StatusStreamTests
{
    private const string Circuits = """{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1, "BreakDuration": "00:00:05", "BreakJitter": 0, "HalfOpenProbes": 1 } } }""";

    internal static Task<TestService> StartAsync(string configuration = Circuits, ManualTimeProvider? time = null, Action<WebApplication>? more = null) =>
        TestService.StartAsync(OperationsService.Setup(
            app =>
            {
                app.MapResilienceDashboard().AllowAnonymous();
                app.MapGet("/fine", () => "fine").WithCircuitBreaker("orders");
                app.MapGet("/fail", () => Results.StatusCode(500)).WithCircuitBreaker("orders");
                more?.Invoke(app);
            },
            configuration: configuration,
            time: time));

    internal static CircuitBreaker Orders(TestService service) => service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders");

    internal static StatusStreams Streams(TestService service) => service.Services.GetRequiredService<StatusStreams>();

    internal static Task OpenStreamsAsync(TestService service, int expected) =>
        TestService.EventuallyAsync(() => Task.FromResult(Streams(service).Open == expected), $"{expected} open streams, not {Streams(service).Open}");

    [Theory, OverBothWires]
    public async Task Stream_TellsTheWholeStatus_ThenWhatChanges(Wire wire)
    {
        var time = new ManualTimeProvider();
        await using var service = await StartAsync(time: time);
        using var stream = await EventStream.OpenAsync(service, wire: wire);
        var headers = stream.Response.Headers.NonValidated;
        stream.Response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        (headers["Cache-Control"].ToString(), headers["X-Accel-Buffering"].ToString()).ShouldBe(("no-store", "no"));

        var first = (await stream.NextAsync()).ShouldNotBeNull();
        first.Name.ShouldBe("status");
        first.Data.GetProperty("circuitBreakers").EnumerateArray().Select(circuit => circuit.GetProperty("name").GetString()).ShouldContain("orders");

        // No time passes: a circuit that moves is told at once.
        (await service.StatusOfAsync("/fail")).ShouldBe(500);
        var open = await stream.CircuitAsync("orders", "open");
        open.GetProperty("retryAfterSeconds").GetDouble().ShouldBe(5);
        time.Advance(TimeSpan.FromSeconds(5));
        await stream.CircuitAsync("orders", "halfOpen");
        (await service.StatusOfAsync("/fine")).ShouldBe(200);
        await stream.CircuitAsync("orders", "closed");

        service.Services.GetRequiredService<IServiceLevel>().Override(ServiceLevel.Reduced, TimeSpan.FromMinutes(1), "eve");
        var level = await stream.NextAsync("level", told => told.GetProperty("level").GetString() == "reduced");
        level.EnumerateObject().Select(member => member.Name).ShouldBe(["level", "since", "signalledLevel", "severity", "mode", "overridden", "overriddenUntil"]);
    }

    [Fact]
    public async Task Stream_TellsLogEventsAndSamples()
    {
        await using var service = await StartAsync();
        using var stream = await EventStream.OpenAsync(service, "guest");
        using var strangers = await EventStream.OpenAsync(service);
        (await service.StatusOfAsync("/fail")).ShouldBe(500);
        var logged = await stream.NextAsync("event", told => told.GetProperty("eventId").GetInt32() == 1000);
        logged.GetProperty("message").GetString().ShouldNotBeNull().ShouldContain("orders");
        (await strangers.NextAsync("event", told => told.GetProperty("eventId").GetInt32() == 1000)).GetProperty("message").ValueKind.ShouldBe(JsonValueKind.Null);
        (await stream.NextAsync("sample")).GetProperty("service").GetProperty("level").GetString().ShouldBe("normal");
    }

    [Fact]
    public async Task Stream_Quiet_GivesSignsOfLife()
    {
        var time = new ManualTimeProvider();
        await using var service = await StartAsync("""{ "Dashboard": { "Heartbeat": "00:00:03", "KeepHistory": false }, "Degradation": { "Enabled": false }, "CircuitBreakers": { "orders": { } } }""", time);
        using var stream = await EventStream.OpenAsync(service);
        var status = await stream.NextAsync("status");
        for (var i = 0; i < 3; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        (string? Name, JsonElement Data) next;
        do
        {
            next = (await stream.NextAsync()).ShouldNotBeNull();
        }
        while (next.Name is not null);

        // The comment before it is seen by nobody on a page.
        var heartbeat = (await stream.NextAsync()).ShouldNotBeNull();
        heartbeat.Name.ShouldBe("heartbeat");
        heartbeat.Data.GetProperty("at").GetDateTimeOffset().ShouldBe(time.GetUtcNow());
        status.GetProperty("heartbeatSeconds").GetDouble().ShouldBe(3);
    }

    [Fact]
    public async Task Limits_OfAllAndOfOneUser_AreKeptAndGivenBack()
    {
        await using var service = await StartAsync("""{ "Dashboard": { "MaxStreams": 5, "MaxStreamsPerUser": 2 }, "CircuitBreakers": { "orders": { } } }""");
        var streams = new List<EventStream>();
        foreach (var user in (string?[])["ann", "ann", "ben", null, null])
        {
            streams.Add(await EventStream.OpenAsync(service, user));
        }

        foreach (var (user, expected) in ((string?, int)[])[("ann", 429), (null, 429)])
        {
            // Who says to be behind a proxy is no other user for it.
            using var request = OperationsService.Request(HttpMethod.Get, "/resilience/events", user, headers: ("X-Forwarded-For", "192.0.2.7"));
            using var response = await service.SendAsync(request);
            ((int)response.StatusCode).ShouldBe(expected);
            response.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(5, 15);
            response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        }

        streams[0].Dispose();
        await OpenStreamsAsync(service, 4);
        streams[0] = await EventStream.OpenAsync(service, "ann");
        await streams[0].NextAsync("status");
        streams[0].Dispose();
        await OpenStreamsAsync(service, 4);
        streams.Add(await EventStream.OpenAsync(service, "ann"));
        await streams[^1].NextAsync("status");

        // A lower limit ends nobody's stream, and holds for who comes.
        service.Configuration.Replace("""{ "Dashboard": { "MaxStreams": 0 }, "CircuitBreakers": { "orders": { } } }""");
        streams[1].Dispose();
        await OpenStreamsAsync(service, 4);
        using (var refused = await service.Client().GetAsync("/resilience/events"))
        {
            ((int)refused.StatusCode).ShouldBe(503);
        }

        streams.ForEach(static stream => stream.Dispose());
        await OpenStreamsAsync(service, 0);
    }

    [Fact]
    public async Task Places_AllTakenByStrangers_AreGivenToUsers()
    {
        await using var service = await StartAsync("""{ "Dashboard": { "MaxStreams": 3, "MaxStreamsPerUser": 3 }, "CircuitBreakers": { "orders": { } } }""");
        List<EventStream> strangers = [];
        for (var i = 0; i < 3; i++)
        {
            strangers.Add(await EventStream.OpenAsync(service));
            await strangers[i].NextAsync("status");
        }

        (await RefusalAsync(null)).ShouldBe(429);
        foreach (var user in (string[])["ann", "ben", "cid"])
        {
            using var stream = await EventStream.OpenAsync(service, user);
            await stream.NextAsync("status");
            await OpenStreamsAsync(service, 3);
            stream.Dispose();
            await OpenStreamsAsync(service, 2);
            strangers.Add(await EventStream.OpenAsync(service));
            await strangers[^1].NextAsync("status");
        }

        // Users do not take each other's.
        List<EventStream> users = [];
        foreach (var user in (string[])["ann", "ben", "cid"])
        {
            users.Add(await EventStream.OpenAsync(service, user));
            await users[^1].NextAsync("status");
        }

        await OpenStreamsAsync(service, 3);
        (await RefusalAsync("dan")).ShouldBe(503);
        (await RefusalAsync(null)).ShouldBe(503);
        foreach (var stranger in strangers)
        {
            while (await stranger.NextAsync() is not null)
            {
            }
        }

        users.Concat(strangers).ToList().ForEach(static stream => stream.Dispose());
        await OpenStreamsAsync(service, 0);

        async Task<int> RefusalAsync(string? user)
        {
            using var request = OperationsService.Request(HttpMethod.Get, "/resilience/events", user);
            using var response = await service.SendAsync(request);
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task Limit_OfOneUser_GoesByTheirIdWhereTheyHaveNoName()
    {
        await using var service = await StartAsync("""{ "Dashboard": { "MaxStreamsPerUser": 1 }, "CircuitBreakers": { "orders": { } } }""");
        using var ann = await EventStream.OpenAsync(service, "sub:ann");
        using var ben = await EventStream.OpenAsync(service, "sub:ben");
        using var request = OperationsService.Request(HttpMethod.Get, "/resilience/events", "sub:ann");
        using var refused = await service.SendAsync(request);
        ((int)refused.StatusCode).ShouldBe(429);
    }

    [Fact]
    public async Task Stream_ThatEnds_CanBeOpenedAgainAndIsToldAnew()
    {
        await using var service = await StartAsync("""{ "Dashboard": { "MaxStreamsPerUser": 20 }, "CircuitBreakers": { "orders": { } } }""");
        for (var i = 0; i < 20; i++)
        {
            using var stream = await EventStream.OpenAsync(service);
            var status = await stream.NextAsync("status");
            Isolated(status).ShouldBe(i % 2 == 1);
            if (i % 2 == 0)
            {
                Orders(service).Isolate();
                await stream.CircuitAsync("orders", "isolated");
            }
            else
            {
                Orders(service).Reset();
                await stream.CircuitAsync("orders", "closed");
            }
        }

        await OpenStreamsAsync(service, 0);

        static bool Isolated(JsonElement status) =>
            status.GetProperty("circuitBreakers").EnumerateArray().Single(circuit => circuit.GetProperty("name").GetString() == "orders").GetProperty("state").GetString() == "isolated";
    }

    [Theory, OverBothWires]
    public async Task Shutdown_EndsStreamsAtOnce(Wire wire)
    {
        await using var service = await StartAsync();
        using var stream = await EventStream.OpenAsync(service, wire: wire);
        await stream.NextAsync("status");
        var start = Stopwatch.GetTimestamp();
        await service.Services.GetRequiredService<IHost>().StopAsync();
        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(5));
        while (await stream.NextAsync() is not null)
        {
        }

        service.ShouldHaveLoggedNoError();
    }
}
