namespace ResilientHost.IntegrationTests.Hosting;

public sealed class ConfigurationAtStartTests
{
    private static Task<string> FailAsync(string configuration) => TestService.FailToStartAsync(new TestServiceSetup { Configuration = configuration });

    [Theory]
    [InlineData("""{ "CircuitBreakrs": { } }""", "Resilience:CircuitBreakrs")]
    [InlineData("""{ "CircuitBreakers": { "orders": { "FailureRati": 0.5 } } }""", "Resilience:CircuitBreakers:orders:FailureRati")]
    [InlineData("""{ "Bulkheads": { "orders": { "MaxConcurency": 5 } } }""", "Resilience:Bulkheads:orders:MaxConcurency")]
    [InlineData("""{ "Recovery": { "DetailIntervall": "00:00:01" } }""", "Resilience:Recovery:DetailIntervall")]
    public async Task UnknownKey_RefusesToStartAndNamesIt(string configuration, string key) =>
        (await FailAsync(configuration)).ShouldContain(key);

    [Theory]
    [InlineData("""{ "CircuitBreakers": { "orders": { "FailureRatio": 0 } } }""", "FailureRatio", "0")]
    [InlineData("""{ "CircuitBreakers": { "orders": { "FailureRatio": 1.5 } } }""", "FailureRatio", "1.5")]
    [InlineData("""{ "CircuitBreakers": { "orders": { "BreakDuration": "-00:00:05" } } }""", "BreakDuration", "-")]
    [InlineData("""{ "CircuitBreakers": { "orders": { "BreakDuration": "soon" } } }""", "BreakDuration", "soon")]
    [InlineData("""{ "CircuitBreakers": { "orders": { "Mode": "Sometimes" } } }""", "Mode", "Sometimes")]
    [InlineData("""{ "CircuitBreakers": { "orders": { "Inherit": "nobody" } } }""", "Inherit", "nobody")]
    [InlineData("""{ "Bulkheads": { "orders": { "MaxConcurrency": 0 } } }""", "MaxConcurrency", "0")]
    [InlineData("""{ "Bulkheads": { "orders": { "QueueLength": -1 } } }""", "QueueLength", "-1")]
    [InlineData("""{ "Bulkheads": { "orders": { "QueueTimeout": "-00:00:01" } } }""", "QueueTimeout", "-")]
    public async Task WrongValue_RefusesToStartAndNamesPropertyAndValue(string configuration, string property, string value)
    {
        var error = await FailAsync(configuration);
        error.ShouldContain("orders");
        error.ShouldContain(property);
        error.ShouldContain(value);
    }

    [Fact]
    public async Task Errors_OfAllLayers_AreReportedAtOnce()
    {
        var error = await FailAsync("""
            { "CircuitBreakers": { "orders": { "FailureRatio": 7 }, "payments": { "BreakDuration": "-00:00:01" } },
              "Bulkheads": { "checkout": { "MaxConcurrency": -3 } },
              "Recovery": { "IncludeExceptionDetails": true },
              "Typo": 1 }
            """);
        foreach (var part in (string[])["orders", "FailureRatio", "payments", "BreakDuration", "checkout", "MaxConcurrency", "IncludeExceptionDetails", "Resilience:Typo"])
        {
            error.ShouldContain(part);
        }
    }

    [Fact]
    public async Task UnknownKeys_Warn_StartsAndSaysSo()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => "fine"),
            """{ "UnknownKeys": "Warn", "CircuitBreakers": { "orders": { "FromTheFuture": 1 } } }""");
        (await service.StatusOfAsync("/")).ShouldBe(200);
        (await service.OneLogAboutAsync("Resilience:CircuitBreakers:orders:FromTheFuture")).Level.ShouldBe(LogLevel.Warning);
    }
}
