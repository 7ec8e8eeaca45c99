using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.FeatureManagement;

namespace ResilientHost.Tests.Conventions;

/// <summary>Code that the pages of the other packages show, compiled and run.</summary>
public sealed class PackageSnippets
{
    [Fact]
    public async Task Telemetry_InProgram_Builds()
    {
        var builder = WebApplication.CreateSlimBuilder();

        // readme: telemetry
        builder.AddResilienceLayers();
        builder.AddResilienceTelemetry();
        // readme: end

        await using var app = builder.Build();
        app.Services.GetRequiredService<ResilienceTelemetryOptions>().LogRequests.ShouldBeTrue();
    }

    [Fact]
    public async Task FeatureManagement_InProgram_KnowsTheFilter()
    {
        var builder = WebApplication.CreateSlimBuilder();

        // readme: feature-management
        builder.AddResilienceLayers();
        builder.Services.AddFeatureManagement().AddServiceLevelFilter();
        // readme: end

        await using var app = builder.Build();
        app.Services.GetServices<IFeatureFilterMetadata>().ShouldContain(static filter => filter.GetType().Name.StartsWith("ServiceLevel", StringComparison.Ordinal));
    }
}
