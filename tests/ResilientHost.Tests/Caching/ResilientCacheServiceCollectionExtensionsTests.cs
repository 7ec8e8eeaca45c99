using System.Diagnostics;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Caching;

namespace ResilientHost.Tests.Caching;

public sealed class ResilientCacheServiceCollectionExtensionsTests
{
    [Fact]
    public async Task AddResilientCache_WithoutTheLayers_KeepsTheHostFromStarting()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddResilientCache();
        using var host = builder.Build();

        (await Should.ThrowAsync<InvalidOperationException>(() => host.StartAsync())).Message.ShouldBe(
            "A cache was added with AddResilientCache, but nothing configures it. Call builder.AddResilienceLayers(), or AddResilienceLayers on its services.");
    }

    [Fact]
    public async Task AddResilientCache_WithAName_TakesItsOwnSectionAndCode()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Resilience:Caches:Default:MaxEntries"] = "7",
            ["Resilience:Caches:products:MaximumKeyLength"] = "9",
            ["Resilience:Caches:nobody:MaximumKeyLength"] = "9",
        }).Build();
        using var logs = new LogRecorder();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(logs);
        builder.Services
            .AddResilientCache()
            .AddResilientCache("products", options => options.StaleFor = TimeSpan.FromMinutes(3))
            .AddResilientCache("products")
            .AddResilienceLayers(configuration);
        using var host = builder.Build();
        await host.StartAsync();
        var cache = (ResilientCache)host.Services.GetRequiredKeyedService<HybridCache>("products");
        var other = (ResilientCache)host.Services.GetRequiredService<HybridCache>();

        (cache.Core.Name, cache.Core.Policy.MaxEntries, cache.Core.Policy.MaximumKeyLength, cache.Core.Policy.StaleFor).ShouldBe(("products", 7, 9, TimeSpan.FromMinutes(3)));
        (other.Core.Name, other.Core.Policy.MaxEntries, other.Core.Policy.MaximumKeyLength, other.Core.Policy.StaleFor).ShouldBe(("default", 7, 1024, TimeSpan.FromHours(1)));
        logs.Entries.Where(log => log.EventId.Id == 2711).ShouldHaveSingleItem().Message.ShouldContain("'nobody'");
        await host.StopAsync();
    }

    [Theory]
    [InlineData("default")]
    [InlineData(" ")]
    [InlineData("Products")]
    public void AddResilientCache_WithANameThatCannotBe_SaysWhy(string name) =>
        Should.Throw<ArgumentException>(() => new ServiceCollection().AddResilientCache("products").AddResilientCache(name));

    [Fact]
    public async Task Factory_InAReadersTrace_IsAChildSpanAndMeasured()
    {
        using var spans = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        using var host = new CacheUnderTest();
        using var reader = new Activity("reader").Start();
        await Should.ThrowAsync<IOException>(host.ReadAsync(new Source { Failure = new IOException("down") }).AsTask());
        reader.Stop();
        var span = await spans.WaitForAsync(one => one.TraceId == reader.TraceId, CacheUnderTest.Patience);

        (span.OperationName, span.ParentSpanId, span.Status, span.StatusDescription).ShouldBe((ResilienceDiagnostics.Spans.CacheFactory, reader.SpanId, ActivityStatusCode.Error, "System.IO.IOException"));
        host.Metrics.Of(ResilienceDiagnostics.Instruments.CacheFactoryDuration).ShouldHaveSingleItem().Tags[ResilienceDiagnostics.Tags.Outcome].ShouldBe("failed");
    }
}
