using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;

namespace ResilientHost.Tests.Hosting;

public sealed class UnreadableFileTests
{
    private const string Limit3 = """{ "Bulkheads": { "x": { "MaxConcurrency": 3 } } }""";
    private const string Limit4 = """{ "Bulkheads": { "x": { "MaxConcurrency": 4 } } }""";
    private const string NotJson = "{ broken";

    private static void ReloadOther(SuiteUnderTest suite)
    {
        var memory = suite.Configuration.Providers.OfType<FiringProvider>().Single();
        memory.Fire();
    }

    [Fact]
    public void BrokenFile_ThenOtherProviderReloads_LastGoodServesAndIsLoggedOnce()
    {
        using var suite = new SuiteUnderTest(Limit3, more: b => b.Add(new FiringSource()));
        var before = suite.Settings;

        suite.Save(NotJson).ShouldNotBeNull();
        suite.Configuration["Resilience:Bulkheads:x:MaxConcurrency"].ShouldBeNull();
        suite.Save(NotJson).ShouldNotBeNull();
        ReloadOther(suite);

        suite.Settings.ShouldBeSameAs(before);
        var entry = suite.Logs.Entries.ShouldHaveSingleItem();
        entry.Level.ShouldBe(LogLevel.Error);
        entry.Message.ShouldBe("Configuration file appsettings.json cannot be read; the last good resilience configuration serves until it can.");
        entry.Exception.ShouldBeOfType<InvalidDataException>();
    }

    [Fact]
    public void BrokenFile_ErrorsThatTheFileWatcherLeavesUnobserved_AreNotReportedAgain()
    {
        using var suite = new SuiteUnderTest(Limit3);
        _ = suite.Settings;
        var reported = suite.Services.GetRequiredService<RecoveredExceptions>();

        foreach (var error in new[] { suite.Save(NotJson), suite.Save(NotJson) })
        {
            reported.TryMark(new AggregateException(error.ShouldNotBeNull())).ShouldBeFalse();
        }
    }

    [Fact]
    public void BrokenFile_Mended_Applies()
    {
        using var suite = new SuiteUnderTest(Limit3, more: b => b.Add(new FiringSource()));
        _ = suite.Settings;

        suite.Save(NotJson);
        suite.Save(Limit4).ShouldBeNull();
        suite.Settings.Bulkheads.Named["x"].MaxConcurrency.ShouldBe(4);
        ReloadOther(suite);
        suite.Save(NotJson);
        suite.Save(Limit3).ShouldBeNull();

        suite.Settings.Bulkheads.Named["x"].MaxConcurrency.ShouldBe(3);
        suite.Messages(LogLevel.Error).Count().ShouldBe(2);
        suite.Messages(LogLevel.Warning).ShouldBeEmpty();
    }

    [Fact]
    public void BrokenFile_ErrorIgnoredByTheApplication_StillKeepsLastGood()
    {
        var seen = 0;
        using var suite = new SuiteUnderTest(Limit3, onLoadException: context =>
        {
            seen++;
            context.Ignore = true;
        });
        var before = suite.Settings;

        suite.Save(NotJson).ShouldBeNull();

        seen.ShouldBe(1);
        suite.Settings.ShouldBeSameAs(before);
        suite.Save(Limit4);
        suite.Settings.Bulkheads.Named["x"].MaxConcurrency.ShouldBe(4);
    }

    [Fact]
    public void BrokenFile_HandlerOfTheApplication_KeepsItsVerdict()
    {
        using var suite = new SuiteUnderTest(Limit3, onLoadException: _ => throw new InvalidOperationException("handler"));
        var before = suite.Settings;

        suite.Save(NotJson).ShouldBeOfType<AggregateException>().InnerException!.Message.ShouldBe("handler");
        suite.Settings.ShouldBeSameAs(before);
        suite.Logs.Entries.Count.ShouldBe(1);
    }

    [Fact]
    public void RealFile_BrokenThenMended_AppliesByReload()
    {
        var path = Path.Combine(Path.GetTempPath(), $"resilience-{Guid.NewGuid():N}.json");
        File.WriteAllText(path, $$"""{ "Resilience": {{Limit3}} }""");
        try
        {
            using var suite = new SuiteUnderTest("{}", more: b => b.AddJsonFile(path, optional: false, reloadOnChange: false));
            _ = suite.Settings;

            File.WriteAllText(path, NotJson);
            Should.Throw<InvalidDataException>(suite.Configuration.Reload);
            suite.Save("{}");
            suite.Settings.Bulkheads.Named["x"].MaxConcurrency.ShouldBe(3);
            File.WriteAllText(path, $$"""{ "Resilience": {{Limit4}} }""");
            suite.Configuration.Reload();

            suite.Settings.Bulkheads.Named["x"].MaxConcurrency.ShouldBe(4);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void FileOfChainedConfiguration_IsWatched()
    {
        using var inner = new SuiteUnderTest(Limit3);
        using var outer = new SuiteUnderTest("{}", more: b => b.AddConfiguration(inner.Configuration));
        var before = outer.Settings;

        inner.Save(NotJson).ShouldNotBeNull();
        outer.Save("{}");

        outer.Settings.ShouldBeSameAs(before);
    }

    [Fact]
    public void SuiteHandedTheSection_SeesBrokenFileThroughRegisteredRoot()
    {
        using var files = new SuiteUnderTest(Limit3, more: b => b.Add(new FiringSource()));
        using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(files.Configuration)
            .AddResilienceLayers(files.Configuration.GetSection("Resilience"))
            .BuildServiceProvider();
        var source = services.GetRequiredService<ResilienceSettingsSource>();
        var before = source.Current;
        before.Bulkheads.Named["x"].MaxConcurrency.ShouldBe(3);

        files.Save(NotJson);
        ReloadOther(files);

        source.Current.ShouldBeSameAs(before);
    }

    [Fact]
    public async Task ApplicationsOwnConfiguration_BrokenFile_KeepsLastGood()
    {
        var file = new ManualFileProvider($$"""{ "Resilience": {{Limit3}} }""");
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddJsonFile(source =>
        {
            (source.FileProvider, source.Path, source.ReloadOnChange, source.ReloadDelay) = (file, "shop.json", true, 0);
        });
        builder.AddResilienceLayers();
        using var host = builder.Build();
        await host.StartAsync();
        var bulkhead = host.Services.GetRequiredService<BulkheadRegistry>().Get("x");

        file.Save(NotJson).ShouldNotBeNull();
        builder.Configuration["Resilience:Enabled"] = "true";
        ((IConfigurationBuilder)builder.Configuration).Sources.Add(new FiringSource());
        bulkhead.Snapshot().Limit.ShouldBe(3);
        file.Save($$"""{ "Resilience": {{Limit4}} }""").ShouldBeNull();

        bulkhead.Snapshot().Limit.ShouldBe(4);
    }

    // Callbacks of a token run last come first, so every reload turns their order around; both orders must hold.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ReloadWithinAReload_LastChangeWins(int earlierReloads)
    {
        FiringProvider? other = null;
        using var suite = new SuiteUnderTest(Limit3, more: b => b.Add(new FiringSource()), configure: _ =>
        {
            if (other is not null)
            {
                var once = other;
                other = null;
                once.Set("Resilience:Bulkheads:x:MaxConcurrency", "9");
                once.Fire();
            }
        });
        List<int?> applied = [];
        suite.Source.Subscribe(s => s.Bulkheads, s => applied.Add(s.Named["x"].MaxConcurrency));

        for (var i = 0; i < earlierReloads; i++)
        {
            suite.Save(Limit3);
        }

        suite.Save(NotJson);
        other = suite.Configuration.Providers.OfType<FiringProvider>().Single();
        suite.Save(Limit4);

        suite.Settings.Bulkheads.Named["x"].MaxConcurrency.ShouldBe(9);
        applied.ShouldBe([3, 4, 9]);
    }

    [Fact]
    public void Dispose_GivesTheSourceItsHandlerBack()
    {
        Action<FileLoadExceptionContext> handler = _ => { };
        using var suite = new SuiteUnderTest(Limit3, onLoadException: handler);
        var source = suite.Configuration.Providers.OfType<FileConfigurationProvider>().Single().Source;
        _ = suite.Settings;
        source.OnLoadException.ShouldNotBe(handler);

        suite.Source.Dispose();

        source.OnLoadException.ShouldBe(handler);
    }

    private sealed class FiringSource : IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => new FiringProvider();
    }

    private sealed class FiringProvider : ConfigurationProvider
    {
        public void Fire() => OnReload();
    }
}
