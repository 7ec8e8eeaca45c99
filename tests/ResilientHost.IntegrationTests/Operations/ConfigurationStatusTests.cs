using Microsoft.Extensions.Configuration;

namespace ResilientHost.IntegrationTests.Operations;

public sealed class ConfigurationStatusTests
{
    private static async Task<JsonElement> ReadAsync(TestService service)
    {
        using var request = OperationsService.Request(HttpMethod.Get, "/resilience/configuration", "eve");
        using var response = await service.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }

    private static JsonElement Entry(JsonElement configuration, string key) =>
        configuration.GetProperty("entries").EnumerateArray().Single(entry => entry.GetProperty("key").GetString() == key);

    private static (string? Value, string? Source) Of(JsonElement configuration, string key)
    {
        var entry = Entry(configuration, key);
        return (entry.GetProperty("value").GetString(), entry.GetProperty("source").GetString());
    }

    [Fact]
    public async Task Configuration_TellsValuesWithTheirSource()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app => app.MapResilienceDashboard().RequireAuthorization(),
            configuration: """
                { "CircuitBreakers": { "Default": { "FailureRatio": 0.50, "BreakDuration": "00:00:07" }, "checkout": { "ConsecutiveFailures": 5, "FailureRatio": null }, "late": { "Inherit": "checkout", "Mode": "shadow" } },
                  "Recovery": { "StatusCodes": { "System.TimeoutException": 504 } }, "TrustedCallers": { "Networks": ["10.0.0.0/8", "192.0.2.1"] }, "Degradation": { "Cpu": { "Enter": 0.8 } } }
                """,
            more: builder =>
            {
                builder.Configuration.AddCommandLine(["--Resilience:Fallbacks:MaxConcurrency=12"]);
                builder.Configuration.AddJsonStream(new MemoryStream("""{ "Resilience": { "Shutdown": { "ReadinessDelay": "00:00:00" } } }"""u8.ToArray()));
                builder.Services.Configure<ResilienceOptions>(options => options.CircuitBreakers.Configure("checkout", static circuit => circuit.MinimumThroughput = 33));
                builder.Services.Configure<ResilienceOptions>(options => options.Timeouts.Grace = TimeSpan.FromSeconds(2));
            }));
        var configuration = await ReadAsync(service);
        Of(configuration, "CircuitBreakers:checkout:ConsecutiveFailures").ShouldBe(("5", "TestConfiguration"));
        Of(configuration, "CircuitBreakers:checkout:FailureRatio").ShouldBe((null, "TestConfiguration"));
        Of(configuration, "CircuitBreakers:checkout:BreakDuration").ShouldBe(("00:00:07", "TestConfiguration"));
        Of(configuration, "CircuitBreakers:checkout:MinimumThroughput").ShouldBe(("33", "code"));
        Of(configuration, "CircuitBreakers:checkout:HalfOpenProbes").ShouldBe(("3", "default"));
        Of(configuration, "CircuitBreakers:late:ConsecutiveFailures").ShouldBe(("5", "TestConfiguration"));
        Of(configuration, "CircuitBreakers:late:MinimumThroughput").ShouldBe(("33", "code"));
        Of(configuration, "CircuitBreakers:late:Mode").ShouldBe(("Shadow", "TestConfiguration"));
        Of(configuration, "CircuitBreakers:late:Inherit").ShouldBe(("checkout", "TestConfiguration"));
        Of(configuration, "CircuitBreakers:Default:FailureRatio").ShouldBe(("0.5", "TestConfiguration"));
        Of(configuration, "CircuitBreakers:Enabled").ShouldBe(("true", "default"));
        Of(configuration, "Fallbacks:MaxConcurrency").ShouldBe(("12", "command line"));
        Of(configuration, "Timeouts:Grace").ShouldBe(("00:00:02", "code"));
        Of(configuration, "Recovery:StatusCodes:System.TimeoutException").ShouldBe(("504", "TestConfiguration"));
        Of(configuration, "TrustedCallers:Networks:1").ShouldBe(("192.0.2.1", "TestConfiguration"));
        Of(configuration, "Degradation:Cpu:Enter").ShouldBe(("0.8", "TestConfiguration"));
        Of(configuration, "Workers:SuperviseHostedServices").Source.ShouldBe("default");
        Of(configuration, "Dashboard:MaxStreams").ShouldBe(("100", "default"));
        configuration.GetProperty("lastAppliedAt").ValueKind.ShouldBe(JsonValueKind.String);
        configuration.GetProperty("lastRefusedAt").ValueKind.ShouldBe(JsonValueKind.Null);
        Entry(configuration, "Enabled").GetProperty("changedAt").ValueKind.ShouldBe(JsonValueKind.Null);
        configuration.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("key").GetString()).ShouldBeUnique();
    }

    [Fact]
    public async Task Configuration_Reloaded_TellsWhatChangedAndWhatWasRefused()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app => app.MapResilienceDashboard().AllowAnonymous(), configuration: """{ "CircuitBreakers": { "checkout": { } } }""", time: time));
        time.Advance(TimeSpan.FromMinutes(1));
        service.Configuration.Replace("""{ "CircuitBreakers": { "checkout": { "FailureRatio": 0.25 } } }""");
        var changed = await ReadAsync(service);
        Of(changed, "CircuitBreakers:checkout:FailureRatio").ShouldBe(("0.25", "TestConfiguration"));
        Entry(changed, "CircuitBreakers:checkout:FailureRatio").GetProperty("changedAt").GetDateTimeOffset().ShouldBe(time.GetUtcNow());
        Entry(changed, "CircuitBreakers:checkout:BreakDuration").GetProperty("changedAt").ValueKind.ShouldBe(JsonValueKind.Null);
        changed.GetProperty("lastAppliedAt").GetDateTimeOffset().ShouldBe(time.GetUtcNow());

        time.Advance(TimeSpan.FromMinutes(1));
        service.Configuration.Replace("""{ "CircuitBreakers": { "checkout": { "FailureRatio": 7 } } }""");
        var refused = await ReadAsync(service);
        Of(refused, "CircuitBreakers:checkout:FailureRatio").ShouldBe(("0.25", "code"));
        refused.GetProperty("lastRefusedAt").GetDateTimeOffset().ShouldBe(time.GetUtcNow());
        refused.GetProperty("lastRefusal").EnumerateArray().Single().GetString().ShouldNotBeNull().ShouldContain("FailureRatio");
        using (var stranger = await service.GetAsync("/resilience/configuration"))
        {
            JsonElement.Parse(await stranger.Content.ReadAsStringAsync()).GetProperty("lastRefusal").GetArrayLength().ShouldBe(0);
        }

        service.Configuration.Replace("""{ "CircuitBreakers": { "checkout": { "FailureRatio": 0.25 } } }""");
        var mended = await ReadAsync(service);
        mended.GetProperty("lastRefusal").ValueKind.ShouldBe(JsonValueKind.Null);
        mended.GetProperty("lastRefusedAt").ValueKind.ShouldBe(JsonValueKind.String);
    }
}
