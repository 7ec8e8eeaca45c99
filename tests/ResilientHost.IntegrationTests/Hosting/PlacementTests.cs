namespace ResilientHost.IntegrationTests.Hosting;

public sealed class PlacementTests
{
    private const string Named = """{ "CircuitBreakers": { "orders": { }, "payments": { } }, "Bulkheads": { "checkout": { "MaxConcurrency": 1 } } }""";

    [Theory]
    [InlineData("circuit breaker")]
    [InlineData("bulkhead")]
    public async Task AttributedEndpoint_WithoutTheLayers_RefusesToStartAndNamesTheCall(string layer)
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Configuration = Named,
            UsesLayers = false,
            Endpoints = app =>
            {
                if (layer == "bulkhead")
                {
                    app.MapGet("/orders/{id}", [Bulkhead("checkout")] (string id) => id);
                }
                else
                {
                    app.MapGet("/orders/{id}", (string id) => id).WithCircuitBreaker("orders");
                }
            },
        });
        error.ShouldContain("UseResilienceLayers()");
        error.ShouldContain("UseRouting");
        error.ShouldContain("/orders/{id}");
    }

    [Fact]
    public async Task UnknownName_InWithAndAttribute_RefusesToStartAndListsTheNames()
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Configuration = Named,
            Endpoints = app =>
            {
                app.MapGet("/with", () => "never").WithCircuitBreaker("ordres");
                app.MapGet("/attribute", [Bulkhead("chekout")] () => "never");
            },
        });
        error.ShouldContain("ordres");
        error.ShouldContain("orders");
        error.ShouldContain("payments");
        error.ShouldContain("chekout");
        error.ShouldContain("checkout");
    }

    [Fact]
    public async Task UseResilienceLayers_Twice_IsOnce()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = Named,
            Outside = app => app.UseResilienceLayers().UseResilienceLayers(),
            Endpoints = app => app.MapGet("/", () => "fine").WithBulkhead("checkout").WithCircuitBreaker("orders"),
        });
        (await service.StatusOfAsync("/")).ShouldBe(200);
        await TestService.EventuallyAsync(async () => (await service.BreakerAsync("orders")).GetProperty("calls").GetInt32() >= 1, "the call counted");
        (await service.BreakerAsync("orders")).GetProperty("calls").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task UseResilienceLayers_InABranchThatRejoins_IsOnce()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = Named,
            Outside = app => app.UseWhen(_ => true, branch => branch.UseResilienceLayers()),
            Endpoints = app => app.MapGet("/", () => "fine").WithBulkhead("checkout").WithCircuitBreaker("orders"),
        });
        (await service.StatusOfAsync("/")).ShouldBe(200);
        (await service.StatusOfAsync("/")).ShouldBe(200);
        await TestService.EventuallyAsync(async () => (await service.BreakerAsync("orders")).GetProperty("calls").GetInt32() >= 2, "both calls counted");
        (await service.BreakerAsync("orders")).GetProperty("calls").GetInt32().ShouldBe(2);
    }

    [Theory]
    [InlineData("Development")]
    [InlineData("Production")]
    public async Task UseResilienceLayers_InABranchWithRoutingOfItsOwn_ProtectsItsEndpoints(string environment)
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = Named,
            Environment = environment,
            Endpoints = app => app.Map("/admin", branch =>
            {
                branch.UseRouting();
                branch.Use(async (context, next) =>
                {
                    await Task.Yield();
                    await next(context);
                });
                branch.UseResilienceLayers();
                branch.UseEndpoints(endpoints => endpoints.MapGet("/report", () => Results.StatusCode(500)).WithCircuitBreaker("orders"));
            }),
        });
        (await service.StatusOfAsync("/admin/report")).ShouldBe(500);
        await TestService.EventuallyAsync(async () => (await service.BreakerAsync("orders")).GetProperty("calls").GetInt32() >= 1, "the call counted");
        service.LogsAbout("UseRouting()").ShouldBeEmpty();
    }

    [Fact]
    public async Task AddResilienceLayers_Twice_IsOnce()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.AddResilienceLayers(),
            Endpoints = app => app.MapGet("/", string () => throw new InvalidOperationException("marker-twice")),
        });
        using var response = await service.GetAsync("/");
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        await service.OneLogAboutAsync("marker-twice");
    }

    [Fact]
    public async Task UseRouting_AfterTheLayersInDevelopment_Throws()
    {
        await using var service = await TestService.StartAsync(RoutedTooLate(Environments.Development));
        (await service.StatusOfAsync("/")).ShouldBe(500);
        service.LogsAbout("UseRouting()").ShouldNotBeEmpty();
    }

    [Theory, OverBothWires]
    public async Task UseRouting_AfterTheLayersElsewhere_ServesAndLogsOnce(Wire wire)
    {
        await using var service = await TestService.StartAsync(RoutedTooLate(Environments.Production));
        for (var i = 0; i < 3; i++)
        {
            (await service.StatusOfAsync("/", wire)).ShouldBe(204);
        }

        (await service.OneLogAboutAsync("UseRouting()")).Level.ShouldBeOneOf(LogLevel.Warning, LogLevel.Error);
    }

    private static TestServiceSetup RoutedTooLate(string environment) => new()
    {
        Environment = environment,
        MapsStatus = false,
        Endpoints = app =>
        {
            app.UseRouting();
            app.MapGet("/", () => Results.StatusCode(204));
        },
    };
}
