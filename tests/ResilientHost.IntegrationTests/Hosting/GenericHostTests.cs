using Microsoft.Extensions.Configuration;

namespace ResilientHost.IntegrationTests.Hosting;

public sealed class GenericHostTests
{
    private static HostApplicationBuilder Builder(string consecutiveFailures)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("Resilience:CircuitBreakers:pricing:ConsecutiveFailures", consecutiveFailures)]);
        return builder;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AddResilienceLayers_WithoutAWebServer_GivesTheNamedBreakers(bool onServices)
    {
        var builder = Builder("2");
        if (onServices)
        {
            builder.Services.AddResilienceLayers(builder.Configuration);
        }
        else
        {
            builder.AddResilienceLayers();
        }

        using var host = builder.Build();
        await host.StartAsync();
        host.Services.GetRequiredService<CircuitBreakerRegistry>().Names.ShouldBe(["pricing"]);
        await host.StopAsync();
    }

    [Fact]
    public async Task AddResilienceLayers_WrongConfiguration_RefusesToStartWithoutAWebServerToo()
    {
        var builder = Builder("-2");
        builder.Services.AddResilienceLayers(builder.Configuration);
        using var host = builder.Build();
        (await Should.ThrowAsync<Exception>(() => host.StartAsync())).ToString().ShouldContain("ConsecutiveFailures");
    }
}
