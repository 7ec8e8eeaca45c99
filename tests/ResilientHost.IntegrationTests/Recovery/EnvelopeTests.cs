namespace ResilientHost.IntegrationTests.Recovery;

public sealed class EnvelopeTests
{
    private static readonly string[] Plain = ["type", "title", "status", "code", "traceId", "timestamp"];

    private sealed class CompanyWriter : IProblemDetailsWriter
    {
        public bool CanWrite(ProblemDetailsContext context) => true;

        public ValueTask WriteAsync(ProblemDetailsContext context) =>
            new(context.HttpContext.Response.WriteAsJsonAsync(new { error = new { status = context.ProblemDetails.Status, text = context.ProblemDetails.Title } }));
    }

    private static Task<TestService> StartAsync(Action<IServiceCollection> services) => TestService.StartAsync(new TestServiceSetup
    {
        Configuration = """{ "CircuitBreakers": { "shut": { "Mode": "ForcedOpen" } } }""",
        Builder = builder => services(builder.Services),
        Endpoints = app =>
        {
            app.MapGet("/throw", string () => throw new InvalidOperationException("canary-envelope"));
            app.MapGet("/refused", () => "never").WithCircuitBreaker("shut");
        },
    });

    [Theory, OverBothWires]
    public async Task ProblemDetails_NotCustomised_AddsNothing(Wire wire)
    {
        await using var service = await StartAsync(services => services.AddProblemDetails());
        using var thrown = await service.GetAsync("/throw", wire);
        using var refused = await service.GetAsync("/refused", wire);
        await thrown.ShouldBeProblemAsync(500, "unhandled_exception");
        await refused.ShouldBeProblemAsync(503, "circuit_open");
    }

    [Theory, OverBothWires]
    public async Task ProblemDetails_Customised_ThatIsAdded(Wire wire)
    {
        await using var service = await StartAsync(services => services.AddProblemDetails(options =>
            options.CustomizeProblemDetails = context => context.ProblemDetails.Extensions["company"] = "acme"));
        foreach (var (path, status, code) in (IEnumerable<(string, int, string)>)[("/throw", 500, "unhandled_exception"), ("/refused", 503, "circuit_open")])
        {
            using var response = await service.GetAsync(path, wire);
            var problem = await response.ShouldBeProblemWithMembersAsync(status, code, [.. Plain, "company"]);
            problem.GetProperty("company").GetString().ShouldBe("acme");
        }
    }

    [Fact]
    public async Task ProblemDetails_OwnWriter_TheBodyIsTheCompanys()
    {
        await using var service = await StartAsync(services => services.AddSingleton<IProblemDetailsWriter, CompanyWriter>().AddProblemDetails());
        using var response = await service.GetAsync("/throw");
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        response.Headers.CacheControl?.NoStore.ShouldBeTrue();
        var body = await response.Content.ReadAsStringAsync();
        JsonElement.Parse(body).GetProperty("error").GetProperty("status").GetInt32().ShouldBe(500);
        body.ShouldNotContain("canary");
    }

    [Fact]
    public async Task ProblemDetails_CustomisationThrows_IsContained()
    {
        await using var service = await StartAsync(services => services.AddProblemDetails(options =>
            options.CustomizeProblemDetails = _ => throw new InvalidOperationException("canary-customisation")));
        using var response = await service.GetAsync("/throw");
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await response.Content.ReadAsStringAsync()).ShouldNotContain("canary");
        await service.NothingHeldAsync();
    }
}
