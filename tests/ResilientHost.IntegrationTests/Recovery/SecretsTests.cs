namespace ResilientHost.IntegrationTests.Recovery;

public sealed class SecretsTests
{
    private sealed class CanaryException : Exception
    {
        public CanaryException()
            : base("Server=db.internal;User Id=sa;Password=canary-password", new InvalidOperationException("canary-inner"))
        {
            Data["canary-key"] = "canary-data";
            HelpLink = "https://canary-link";
            Source = "canary-source";
        }
    }

    private static void MapCanaries(WebApplication app)
    {
        app.MapGet("/throw", string () => throw new CanaryException());
        app.MapGet("/mapped", string () => throw new TimeoutException("canary-timeout", new CanaryException()));
        app.MapGet("/bad-request", string () => throw new BadHttpRequestException("canary-bad-request", 400, new CanaryException()));
        app.MapGet("/aggregate", string () => throw new AggregateException("canary-aggregate", new CanaryException()));
    }

    [Theory]
    [InlineData("/throw", "application/json")]
    [InlineData("/throw", "text/plain")]
    [InlineData("/mapped", "application/json")]
    [InlineData("/bad-request", "application/json")]
    [InlineData("/aggregate", "text/plain")]
    public async Task Problem_OutsideDevelopment_ShowsNothingOfTheException(string path, string accept)
    {
        await using var service = await TestService.StartAsync(MapCanaries);
        using var connection = await service.ConnectAsync();
        (await connection.RequestAsync("GET", path, $"Accept: {accept}")).ShouldBeFreeOfSecrets();
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public async Task Problem_OverHttp2OutsideDevelopment_ShowsNothingOfTheException(string environment)
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup { Environment = environment, Endpoints = MapCanaries });
        using var response = await service.GetAsync("/throw", Wire.Http2);
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        $"{response.Headers}{response.Content.Headers}{await response.Content.ReadAsStringAsync()}".ShouldBeFreeOfSecrets();
    }

    [Fact]
    public async Task Problem_ThroughTheProblemDetailsServiceOutsideDevelopment_ShowsNothingOfTheException()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = context => context.ProblemDetails.Extensions["company"] = "acme"),
            Endpoints = MapCanaries,
        });
        using var connection = await service.ConnectAsync();
        var answer = await connection.RequestAsync("GET", "/throw");
        answer.ShouldContain("acme");
        answer.ShouldBeFreeOfSecrets();
    }

    [Fact]
    public async Task Problem_InDevelopment_ShowsTheException()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup { Environment = Environments.Development, Endpoints = MapCanaries });
        using var response = await service.GetAsync("/throw");
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        var body = await response.Content.ReadAsStringAsync();
        body.ShouldContain("canary-password");
        body.ShouldContain(nameof(CanaryException));
    }

    [Fact]
    public async Task Problem_InDevelopmentWithDetailsSwitchedOff_ShowsNothingOfTheException()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Environment = Environments.Development,
            Configuration = """{ "Recovery": { "IncludeExceptionDetails": false } }""",
            Endpoints = MapCanaries,
        });
        using var response = await service.GetAsync("/throw");
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        (await response.Content.ReadAsStringAsync()).ShouldBeFreeOfSecrets();
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public async Task IncludeExceptionDetails_TrueOutsideDevelopment_RefusesToStart(string environment)
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Environment = environment,
            Configuration = """{ "Recovery": { "IncludeExceptionDetails": true } }""",
        });
        error.ShouldContain("Resilience:Recovery");
        error.ShouldContain("IncludeExceptionDetails");
    }
}

file static class SecretAssertions
{
    public static void ShouldBeFreeOfSecrets(this string answer)
    {
        answer.ShouldNotBeEmpty();
        answer.ShouldNotContain("canary", Case.Insensitive);
        answer.ShouldNotContain("Exception\"", Case.Sensitive);
        answer.ShouldNotContain("db.internal");
        answer.ShouldNotContain(" at ResilientHost");
    }
}
