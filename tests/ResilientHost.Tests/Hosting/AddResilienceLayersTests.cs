using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost.Hosting;
using ResilientHost.Recovery;

namespace ResilientHost.Tests.Hosting;

public sealed class AddResilienceLayersTests
{
    private static WebApplicationBuilder Builder(string environment, params (string Key, string? Value)[] settings)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.WebHost.UseTestServer();
        builder.Services.AddRouting();
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create($"Resilience:{s.Key}", s.Value)));
        return builder;
    }

    [Fact]
    public async Task Start_WrongConfiguration_FailsBeforeAnythingStartsAndNamesEveryError()
    {
        var builder = Builder("Production", ("CircuitBreakers:checkout:HalfOpenProbes", "0"), ("Bulkheads:checkout:QueueTimeout", "30"), ("Colour", "red"));
        var started = new StartProbe();
        builder.Services.AddSingleton<IHostedService>(started);
        builder.AddResilienceLayers();
        await using var app = builder.Build();

        var error = await Should.ThrowAsync<OptionsValidationException>(() => app.StartAsync());

        error.Message.Split('\n').Select(l => l.TrimEnd(' ', ';')).ShouldBe([
            "Resilience:Colour is not a known key; known are Bulkheads, Caches, Calls, CircuitBreakers, Connections, Dashboard, DeadLetters, Degradation, Enabled, Fallbacks, HttpClients, IsolatedTasks, Recovery, Shutdown, Timeouts, TrustedCallers, UnknownKeys, WorkerGroups, Workers.",
            "Resilience:Bulkheads:checkout:QueueTimeout must be a duration as in \"00:00:30\" (hh:mm:ss, with days \"1.00:00:00\"), but is \"30\"; for 30 seconds write \"00:00:30\".",
            "Resilience:CircuitBreakers:checkout:HalfOpenProbes must be from 1 to 1,000 calls, but is 0.",
        ]);
        error.GetType().ShouldBe(typeof(OptionsValidationException));
        started.HasStarted.ShouldBeFalse();
    }

    [Theory]
    [InlineData("Production", false)]
    [InlineData("Staging", false)]
    [InlineData("Development", true)]
    public async Task Start_ExceptionDetailsForced_IsRefusedOutsideDevelopment(string environment, bool starts)
    {
        var builder = Builder(environment, ("Recovery:IncludeExceptionDetails", "true"));
        builder.AddResilienceLayers();
        await using var app = builder.Build();

        if (starts)
        {
            await app.StartAsync();
            app.Services.GetRequiredService<Func<RecoveryPolicy>>()().IncludeExceptionDetails.ShouldBeTrue();
        }
        else
        {
            (await Should.ThrowAsync<OptionsValidationException>(() => app.StartAsync())).Message
                .ShouldStartWith("Resilience:Recovery:IncludeExceptionDetails must not be true outside Development");
        }
    }

    [Fact]
    public async Task Start_GoodConfiguration_GivesRegistriesTheirSettingsAndReloads()
    {
        var builder = Builder("Production", ("CircuitBreakers:checkout:ConsecutiveFailures", "1"), ("Bulkheads:checkout:MaxConcurrency", "2"));
        builder.AddResilienceLayers();
        await using var app = builder.Build();
        await app.StartAsync();
        var breaker = app.Services.GetRequiredService<CircuitBreakerRegistry>().Get("checkout");
        var bulkhead = app.Services.GetRequiredService<BulkheadRegistry>().Get("checkout");

        bulkhead.Snapshot().Limit.ShouldBe(2);
        builder.Configuration["Resilience:Bulkheads:checkout:MaxConcurrency"] = "7";
        builder.Configuration["Resilience:CircuitBreakers:Enabled"] = "false";
        ((IConfigurationRoot)builder.Configuration).Reload();

        bulkhead.Snapshot().Limit.ShouldBe(7);
        breaker.Snapshot().Mode.ShouldBe(CircuitMode.Disabled);
    }

    [Fact]
    public void Registries_ResolvedWithoutAHost_HaveTheirSettings()
    {
        using var suite = new SuiteUnderTest("""{ "CircuitBreakers": { "checkout": { "Mode": "ForcedOpen" } }, "Bulkheads": { "b": { "MaxConcurrency": 3 } } }""");

        suite.Services.GetRequiredService<CircuitBreakerRegistry>().Get("checkout").Snapshot().Mode.ShouldBe(CircuitMode.ForcedOpen);
        suite.Services.GetRequiredService<BulkheadRegistry>().Get("b").Snapshot().Limit.ShouldBe(3);
    }

    [Fact]
    public void Registries_OfWrongConfiguration_AreRefused()
    {
        using var suite = new SuiteUnderTest("""{ "Enabled": 3 }""");

        Should.Throw<OptionsValidationException>(() => suite.Services.GetRequiredService<CircuitBreakerRegistry>());
        Should.Throw<OptionsValidationException>(() => suite.Services.GetRequiredService<BulkheadRegistry>());
    }

    [Fact]
    public void Recovery_FollowsReloadsAndTheSuitesKillSwitch()
    {
        using var suite = new SuiteUnderTest("""{ "Recovery": { "LogUserId": true } }""");
        var policy = suite.Services.GetRequiredService<Func<RecoveryPolicy>>();
        (policy().Enabled, policy().LogUserId).ShouldBe((true, true));

        suite.Save("""{ "Enabled": false, "Recovery": { "LogUserId": true } }""");
        policy().Enabled.ShouldBeFalse();
        suite.Save("""{ "Recovery": { "LogUserId": true } }""");
        policy().Enabled.ShouldBeTrue();
        suite.Save("""{ "Recovery": { "Enabled": false, "StatusCodes": { "System.TimeoutException": 503 } } }""");

        policy().Enabled.ShouldBeFalse();
        suite.Messages(LogLevel.Information).Last().ShouldBe(
            "Resilience configuration reloaded. Resilience:Recovery: Enabled True → False, LogUserId True → False, StatusCodes");
    }

    [Fact]
    public void CalledTwice_RegistersOnceAndRunsEveryActionInOrder()
    {
        List<int> ran = [];
        var configuration = new ConfigurationBuilder().Build();
        var services = new ServiceCollection().AddResilienceLayers(configuration, _ => ran.Add(1));
        var count = services.Count;
        services.AddResilienceLayers(configuration, _ => ran.Add(2));
        services.AddResilienceLayers(configuration);

        services.Count.ShouldBe(count + 1);
        using var provider = services.BuildServiceProvider();
        _ = provider.GetRequiredService<ResilienceSettingsSource>().Current;
        ran.ShouldBe([1, 2]);
    }

    [Fact]
    public void CalledTwice_WithAnotherConfiguration_Throws()
    {
        var services = new ServiceCollection().AddResilienceLayers(new ConfigurationBuilder().Build());

        Should.Throw<InvalidOperationException>(() => services.AddResilienceLayers(new ConfigurationBuilder().Build()))
            .Message.ShouldStartWith("AddResilienceLayers was already called with another configuration.");
    }

    [Fact]
    public void CodeRegisteredEarlier_StillRunsAfterTheSection()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("Resilience:CircuitBreakers:Default:HalfOpenProbes", "4")]).Build();
        using var provider = new ServiceCollection()
            .Configure<ResilienceOptions>(o => o.CircuitBreakers.Default.HalfOpenProbes *= 2)
            .AddResilienceLayers(configuration)
            .BuildServiceProvider();

        provider.GetRequiredService<IOptions<ResilienceOptions>>().Value.CircuitBreakers.Default.HalfOpenProbes.ShouldBe(8);
    }

    [Theory]
    [InlineData("Resilience", "Resilience")]
    [InlineData("resilience", "resilience")]
    [InlineData("Shop", "Shop:Resilience")]
    public void HandedASection_UsesItOrItsResilience(string handed, string path)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new($"{path}:Bulkheads:x:MaxConcurrency", "0")]).Build();
        using var provider = new ServiceCollection().AddResilienceLayers(configuration.GetSection(handed)).BuildServiceProvider();

        Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<ResilienceSettingsSource>().Current)
            .Message.ShouldBe($"{path}:Bulkheads:x:MaxConcurrency must be at least 1 call, or null for no limit, but is 0.");
    }

    [Fact]
    public void Services_OfTheApplication_AreKept()
    {
        var time = new ManualTimeProvider();
        using var provider = new ServiceCollection().AddSingleton<TimeProvider>(time)
            .AddResilienceLayers(new ConfigurationBuilder().Build()).BuildServiceProvider();

        provider.GetRequiredService<TimeProvider>().ShouldBeSameAs(time);
        provider.GetRequiredService<IMeterFactory>().ShouldNotBeNull();
    }

    [Fact]
    public void NullArguments_Throw()
    {
        var configuration = new ConfigurationBuilder().Build();

        Should.Throw<ArgumentNullException>(() => new ServiceCollection().AddResilienceLayers(null!));
        Should.Throw<ArgumentNullException>(() => ((IServiceCollection)null!).AddResilienceLayers(configuration));
        Should.Throw<ArgumentNullException>(() => ((IHostApplicationBuilder)null!).AddResilienceLayers());
        Should.Throw<ArgumentNullException>(() => Builder("Production").AddResilienceLayers(null!));
    }

    private sealed class StartProbe : IHostedService
    {
        public bool HasStarted { get; private set; }

        public Task StartAsync(CancellationToken cancellationToken)
        {
            HasStarted = true;
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    [Fact]
    public void Services_WithoutAHost_AreAllConstructible()
    {
        using var provider = new ServiceCollection()
            .AddResilienceLayers(new ConfigurationBuilder().Build())
            .BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
        provider.GetRequiredService<CircuitBreakerRegistry>().Names.ShouldBeEmpty();
    }
}
