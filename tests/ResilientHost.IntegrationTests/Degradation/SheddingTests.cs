using System.Globalization;

namespace ResilientHost.IntegrationTests.Degradation;

/// <summary>Who is turned down at which level, and what they are told. Levels are set by hand, so no signal of the machine has a say.</summary>
public sealed class SheddingTests
{
    private const string Configuration = """{ "Degradation": { "Mode": "Shadow" }, "Connections": { "SurvivalConnectionsPerSecond": null } }""";

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/sheddable", () => "sheddable").WithCriticality(Criticality.Sheddable);
        app.MapGet("/default", () => "default");
        app.MapGet("/critical", [Criticality(Criticality.Critical)] () => "critical");
        app.MapGet("/off", () => "off").DisableResilience();
        app.MapHealthChecks("/health").WithMetadata(new CriticalityAttribute(Criticality.Sheddable));
    }

    private static async Task<TestService> StartAsync(ManualTimeProvider? time = null, string configuration = Configuration) => await TestService.StartAsync(new TestServiceSetup
    {
        Configuration = configuration,
        Time = time,
        Builder = builder => builder.Services.AddHealthChecks(),
        Endpoints = Endpoints,
    });

    private static IServiceLevel LevelOf(TestService service) => service.Services.GetRequiredService<IServiceLevel>();

    /// <summary>Sends requests with ids of their own.</summary>
    private static async Task<int> ServedOfAsync(TestService service, string path, int count, Wire wire = Wire.Http1)
    {
        var served = 0;
        for (var i = 0; i < count; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("X-Request-ID", string.Create(CultureInfo.InvariantCulture, $"{path}-{i}"));
            using var response = await service.SendAsync(request, wire);
            served += response.StatusCode == HttpStatusCode.OK ? 1 : 0;
        }

        return served;
    }

    [Theory, OverBothWires]
    public async Task Levels_ByHand_KeepWhatMatters(Wire wire)
    {
        await using var service = await StartAsync();
        (await ServedOfAsync(service, "/sheddable", 20, wire)).ShouldBe(20);

        LevelOf(service).Override(ServiceLevel.Reduced);
        (await ServedOfAsync(service, "/sheddable", 200, wire)).ShouldBeLessThan(20);
        (await ServedOfAsync(service, "/default", 50, wire)).ShouldBe(50);
        (await ServedOfAsync(service, "/critical", 50, wire)).ShouldBe(50);

        LevelOf(service).Override(ServiceLevel.Essential);
        (await ServedOfAsync(service, "/default", 300, wire)).ShouldBeInRange(5, 90, "a trickle");
        (await ServedOfAsync(service, "/critical", 50, wire)).ShouldBe(50);

        LevelOf(service).Override(ServiceLevel.Survival);
        (await ServedOfAsync(service, "/default", 300, wire)).ShouldBeLessThan(25);
        (await ServedOfAsync(service, "/critical", 50, wire)).ShouldBe(50);
        (await service.StatusOfAsync("/off", wire)).ShouldBe(200, "without layers");
        (await service.StatusOfAsync("/health", wire)).ShouldBe(200, "health is never shed");
        (await service.StatusAsync()).GetProperty("level").GetString().ShouldBe("survival");

        LevelOf(service).ClearOverride();
        (await ServedOfAsync(service, "/sheddable", 20, wire)).ShouldBe(20);
        await service.NothingHeldAsync();
    }

    [Theory, OverBothWires]
    public async Task Shed_IsAProblemWithJitter_AndTheSameForTheSameId(Wire wire)
    {
        await using var service = await StartAsync();
        LevelOf(service).Override(ServiceLevel.Reduced);
        var seconds = new HashSet<int>();
        var answers = new Dictionary<string, HttpStatusCode>(StringComparer.Ordinal);
        for (var i = 0; i < 120; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/sheddable");
            request.Headers.Add("X-Request-ID", $"id-{i % 40}");
            using var response = await service.SendAsync(request, wire);
            if (answers.TryGetValue($"id-{i % 40}", out var before))
            {
                response.StatusCode.ShouldBe(before);
            }

            answers[$"id-{i % 40}"] = response.StatusCode;
            if (response.StatusCode != HttpStatusCode.OK)
            {
                seconds.Add(await response.ShouldBeRefusalAsync(503, "shed"));
            }
        }

        seconds.Count.ShouldBeGreaterThan(2, "jittered");
        service.ValueOf(ResilienceDiagnostics.Instruments.DegradationShed, (ResilienceDiagnostics.Tags.Criticality, "sheddable")).ShouldBeGreaterThan(80);
    }

    [Fact]
    public async Task Override_Expires_AndRequestsAreServedAtOnce()
    {
        var time = new ManualTimeProvider();
        await using var service = await StartAsync(time);
        LevelOf(service).Override(ServiceLevel.Reduced, TimeSpan.FromMinutes(1));
        (await ServedOfAsync(service, "/sheddable", 100)).ShouldBeLessThan(15);

        time.Advance(TimeSpan.FromSeconds(61));

        (await ServedOfAsync(service, "/sheddable", 30)).ShouldBe(30);
        LevelOf(service).Current.ShouldBe(ServiceLevel.Normal);
    }

    [Fact]
    public async Task Shed_Endpoint_FallsBack_AndTheFallbackKnowsTheLevel()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/offers", () => "fresh").WithCriticality(Criticality.Sheddable)
                .WithFallback((FallbackContext context) => $"{context.Level} {context.Refusal!.Value.Reason}"),
            Configuration);
        LevelOf(service).Override(ServiceLevel.Essential);
        var bodies = new HashSet<string>();
        for (var i = 0; i < 50; i++)
        {
            bodies.Add(await service.Client().GetStringAsync(new Uri("/offers", UriKind.Relative)));
        }

        bodies.ShouldContain("Essential Shed");
        bodies.ShouldBeSubsetOf(["Essential Shed", "fresh"]);
    }

    [Theory]
    [InlineData("/default", "sheddable", true)]
    [InlineData("/critical", "Sheddable", true)]
    [InlineData("/sheddable", "critical", true)]
    [InlineData("/default", "critical", false)]
    [InlineData("/default", "nonsense", false)]
    public async Task Header_OfAStranger_MayOnlyLower(string path, string header, bool isShed)
    {
        await using var service = await StartAsync();
        LevelOf(service).Override(ServiceLevel.Reduced);
        (await ServedWithHeaderAsync(service, path, header)).ShouldBeInRange(isShed ? 0 : 100, isShed ? 8 : 100);
    }

    [Fact]
    public async Task Header_OfATrustedCaller_MayRaise()
    {
        await using var service = await StartAsync(configuration: """{ "Degradation": { "Mode": "Shadow" }, "TrustedCallers": { "Networks": [ "127.0.0.0/8", "::1" ] } }""");
        LevelOf(service).Override(ServiceLevel.Reduced);
        (await ServedWithHeaderAsync(service, "/sheddable", "critical")).ShouldBe(100);
        (await ServedWithHeaderAsync(service, "/default", "sheddable")).ShouldBeLessThan(9);
    }

    [Theory]
    [InlineData("""{ "Degradation": { "Enabled": false } }""")]
    [InlineData("""{ "Enabled": false }""")]
    public async Task KillSwitch_HoldsEverythingOpen(string configuration)
    {
        await using var service = await StartAsync();
        LevelOf(service).Override(ServiceLevel.Survival);
        (await ServedOfAsync(service, "/sheddable", 50)).ShouldBeLessThan(10);

        service.Configuration.Replace(configuration);
        (await ServedOfAsync(service, "/sheddable", 50)).ShouldBe(50);
        LevelOf(service).Current.ShouldBe(ServiceLevel.Normal);

        service.Configuration.Replace(Configuration);
        (await ServedOfAsync(service, "/sheddable", 50)).ShouldBeLessThan(10, "the override still holds");
    }

    [Fact]
    public async Task Survival_ClosesConnections_ButOfThoseServedFirst()
    {
        await using var service = await StartAsync();
        using (var before = await service.GetAsync("/default"))
        {
            before.Headers.ConnectionClose.ShouldNotBe(true);
        }

        LevelOf(service).Override(ServiceLevel.Survival);

        using (var shed = await service.GetAsync("/default"))
        {
            shed.Headers.ConnectionClose.ShouldBe(true);
        }

        using (var unknown = await service.GetAsync("/nowhere"))
        {
            unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);
            unknown.Headers.ConnectionClose.ShouldBe(true);
        }

        using (var critical = await service.GetAsync("/critical"))
        {
            critical.StatusCode.ShouldBe(HttpStatusCode.OK);
            critical.Headers.ConnectionClose.ShouldNotBe(true);
        }

        foreach (var path in new[] { "/health", "/resilience/status" })
        {
            using var ours = await service.GetAsync(path);
            ours.StatusCode.ShouldBe(HttpStatusCode.OK);
            ours.Headers.ConnectionClose.ShouldNotBe(true, path);
        }

        (await service.StatusOfAsync("/critical", Wire.Http2)).ShouldBe(200);
    }

    private static async Task<int> ServedWithHeaderAsync(TestService service, string path, string header)
    {
        var served = 0;
        for (var i = 0; i < 100; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("Resilience-Criticality", header);
            request.Headers.Add("X-Request-ID", $"{header}-{i}");
            using var response = await service.SendAsync(request);
            served += response.StatusCode == HttpStatusCode.OK ? 1 : 0;
        }

        return served;
    }
}
