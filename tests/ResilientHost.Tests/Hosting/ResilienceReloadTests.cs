using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Bulkheads;
using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Hosting;

public sealed class ResilienceReloadTests
{
    private const string Checkout5 = """{ "CircuitBreakers": { "checkout": { "ConsecutiveFailures": 5 }, "other": {} } }""";
    private const string Checkout6 = """{ "CircuitBreakers": { "checkout": { "ConsecutiveFailures": 6, "BreakDuration": "00:00:07" }, "other": {} } }""";

    [Fact]
    public void ValidChange_AppliesWhatChangedAndLogsIt()
    {
        using var suite = new SuiteUnderTest(Checkout5);
        List<CircuitBreakerSettings> breakers = [];
        List<BulkheadSettings> bulkheads = [];
        suite.Source.Subscribe(s => s.CircuitBreakers, breakers.Add);
        suite.Source.Subscribe(s => s.Bulkheads, bulkheads.Add);
        var before = suite.Settings;

        suite.Save(Checkout6).ShouldBeNull();

        breakers.Count.ShouldBe(2);
        breakers[1].Named["checkout"].ConsecutiveFailures.ShouldBe(6);
        breakers[1].Named["other"].ShouldBeSameAs(breakers[0].Named["other"]);
        breakers[1].ForEndpoints.ShouldBeSameAs(breakers[0].ForEndpoints);
        bulkheads.Count.ShouldBe(1);
        suite.Settings.Bulkheads.ShouldBeSameAs(before.Bulkheads);
        suite.Settings.Recovery.ShouldBeSameAs(before.Recovery);
        before.CircuitBreakers.Named["checkout"].ConsecutiveFailures.ShouldBe(5);
        suite.Messages(LogLevel.Information).ShouldBe([
            "Resilience configuration reloaded. Resilience:CircuitBreakers:checkout: BreakDuration 00:00:05 → 00:00:07, ConsecutiveFailures 5 → 6"]);
    }

    [Fact]
    public void SaveWithoutChange_AppliesAndLogsNothing()
    {
        using var suite = new SuiteUnderTest(Checkout5);
        var applied = 0;
        suite.Source.Subscribe(s => s.CircuitBreakers, _ => applied++);

        suite.Save(Checkout5);

        applied.ShouldBe(1);
        suite.Logs.Entries.ShouldBeEmpty();
    }

    [Fact]
    public void InvalidChange_KeepsLastGoodLogsAllErrorsOnce_NextValidApplies()
    {
        using var suite = new SuiteUnderTest(Checkout5);
        var before = suite.Settings;

        suite.Save("""{ "CircuitBreakers": { "checkout": { "ConsecutiveFailures": -1, "BreakDuration": "30" } } }""").ShouldBeNull();
        suite.Save("""{ "CircuitBreakers": { "checkout": { "ConsecutiveFailures": -1, "BreakDuration": "30" } } }""").ShouldBeNull();

        suite.Settings.ShouldBeSameAs(before);
        suite.Messages(LogLevel.Error).ShouldHaveSingleItem().ShouldBe(
            "The reloaded resilience configuration is invalid; the last good one serves until it is mended.\n"
            + "Resilience:CircuitBreakers:checkout:BreakDuration must be a duration as in \"00:00:30\" (hh:mm:ss, with days \"1.00:00:00\"), but is \"30\"; for 30 seconds write \"00:00:30\".\n"
            + "Resilience:CircuitBreakers:checkout:ConsecutiveFailures must be 0 (off) or more calls, but is -1.");
        suite.Save(Checkout6).ShouldBeNull();
        suite.Settings.CircuitBreakers.Named["checkout"].ConsecutiveFailures.ShouldBe(6);
    }

    [Fact]
    public void InvalidThenBackToWhatServes_LogsThatItIsValidAgain()
    {
        using var suite = new SuiteUnderTest(Checkout5);
        _ = suite.Settings;

        suite.Save("""{ "Enabled": 3 }""");
        suite.Save(Checkout5);

        suite.Messages(LogLevel.Information).ShouldBe(["The resilience configuration is valid again; nothing changed."]);
    }

    [Fact]
    public void VanishedName_KeepsItsLastOptionsAndIsWarnedOfOnce()
    {
        using var suite = new SuiteUnderTest(Checkout5);
        _ = suite.Settings;

        suite.Save("""{ "CircuitBreakers": { "other": {} } }""");
        suite.Save("""{ "CircuitBreakers": { "other": { "HalfOpenProbes": 4 } } }""");

        suite.Settings.CircuitBreakers.Named["checkout"].ConsecutiveFailures.ShouldBe(5);
        suite.Messages(LogLevel.Warning).ShouldBe([
            "Resilience:CircuitBreakers:checkout is no longer in the configuration; it keeps its last options until the application restarts."]);
    }

    [Fact]
    public void VanishedName_ComesBack_AppliesAndIsWarnedOfAgainNextTime()
    {
        using var suite = new SuiteUnderTest(Checkout5);
        _ = suite.Settings;

        suite.Save("{}");
        suite.Save(Checkout6);
        suite.Settings.CircuitBreakers.Named["checkout"].ConsecutiveFailures.ShouldBe(6);
        suite.Save("{}");

        suite.Messages(LogLevel.Warning).Count(m => m.Contains("checkout", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public void Name_InAnotherCaseLater_IsTheSameName()
    {
        using var suite = new SuiteUnderTest(Checkout5);
        _ = suite.Settings;

        suite.Save("""{ "CircuitBreakers": { "CHECKOUT": { "ConsecutiveFailures": 6 }, "other": {} } }""");

        suite.Settings.CircuitBreakers.Named.Keys.ShouldBe(["checkout", "other"], ignoreOrder: true);
        suite.Settings.CircuitBreakers.Named["checkout"].ConsecutiveFailures.ShouldBe(6);
        suite.Messages(LogLevel.Warning).ShouldBeEmpty();
    }

    [Fact]
    public void NewName_IsAdded()
    {
        using var suite = new SuiteUnderTest("{}");
        _ = suite.Settings;

        suite.Save("""{ "Bulkheads": { "checkout": { "MaxConcurrency": 3 } } }""");

        suite.Settings.Bulkheads.Named["checkout"].MaxConcurrency.ShouldBe(3);
        suite.Messages(LogLevel.Information).ShouldBe(["Resilience configuration reloaded. Resilience:Bulkheads:checkout: added"]);
    }

    [Theory]
    [InlineData("""{ "Enabled": false, "CircuitBreakers": { "x": { "Mode": "Shadow" } }, "Bulkheads": { "x": {} } }""", true, true)]
    [InlineData("""{ "CircuitBreakers": { "Enabled": false, "x": { "Mode": "Shadow" } }, "Bulkheads": { "x": {} } }""", true, false)]
    [InlineData("""{ "CircuitBreakers": { "x": { "Mode": "Shadow" } }, "Bulkheads": { "Enabled": false, "x": {} } }""", false, true)]
    public void KillSwitch_ReloadsBothWays(string off, bool breakersOff, bool bulkheadsOff)
    {
        const string On = """{ "CircuitBreakers": { "x": { "Mode": "Shadow" } }, "Bulkheads": { "x": {} } }""";
        using var suite = new SuiteUnderTest(On);
        _ = suite.Settings;

        suite.Save(off);
        var disabled = suite.Settings;
        suite.Save(On);
        var enabled = suite.Settings;

        disabled.CircuitBreakers.Named["x"].Mode.ShouldBe(breakersOff ? CircuitMode.Disabled : CircuitMode.Shadow);
        disabled.CircuitBreakers.ForEndpoints.Mode.ShouldBe(breakersOff ? CircuitMode.Disabled : CircuitMode.Shadow);
        disabled.Bulkheads.Named["x"].Mode.ShouldBe(bulkheadsOff ? BulkheadMode.Disabled : BulkheadMode.Enforce);
        disabled.Bulkheads.ForEndpoints.Mode.ShouldBe(bulkheadsOff ? BulkheadMode.Disabled : BulkheadMode.Enforce);
        enabled.CircuitBreakers.Named["x"].Mode.ShouldBe(CircuitMode.Shadow);
        enabled.Bulkheads.Named["x"].Mode.ShouldBe(BulkheadMode.Enforce);
        enabled.Enabled.ShouldBeTrue();
    }

    [Fact]
    public void KillSwitch_ReachesNamesThatVanished()
    {
        using var suite = new SuiteUnderTest(Checkout5);
        _ = suite.Settings;

        suite.Save("""{ "CircuitBreakers": { "Enabled": false } }""");
        suite.Settings.CircuitBreakers.Named["checkout"].Mode.ShouldBe(CircuitMode.Disabled);
        suite.Save("{}");

        suite.Settings.CircuitBreakers.Named["checkout"].Mode.ShouldBe(CircuitMode.Enforce);
    }

    [Fact]
    public void CodeThatThrowsAtReload_IsLoggedAndKeepsLastGood()
    {
        var fail = false;
        using var suite = new SuiteUnderTest(Checkout5, _ => ThrowIf(fail));
        var before = suite.Settings;

        fail = true;
        suite.Save(Checkout6).ShouldBeNull();
        suite.Settings.ShouldBeSameAs(before);
        suite.Logs.Entries.ShouldHaveSingleItem().Exception!.Message.ShouldBe("boom");
        fail = false;
        suite.Save(Checkout6);

        suite.Settings.CircuitBreakers.Named["checkout"].ConsecutiveFailures.ShouldBe(6);
    }

    [Fact]
    public void SubscriberThatThrows_StopsNeitherTheOthersNorTheConfigurationSystem()
    {
        using var suite = new SuiteUnderTest(Checkout5);
        CircuitBreakerSettings? second = null;
        var isStart = true;
        suite.Source.Subscribe(s => s.CircuitBreakers, _ => ThrowIf(!isStart));
        suite.Source.Subscribe(s => s.CircuitBreakers, s => second = s);
        isStart = false;

        suite.Save(Checkout6).ShouldBeNull();

        second!.Named["checkout"].ConsecutiveFailures.ShouldBe(6);
        suite.Messages(LogLevel.Error).ShouldBe(["Reloading the resilience configuration failed; the last good one serves."]);
    }

    [Fact]
    public void LogSinkThatThrows_DoesNotReachTheConfigurationSystem()
    {
        using var suite = new SuiteUnderTest(Checkout5);
        suite.Services.GetRequiredService<ILoggerFactory>().AddProvider(new ThrowingSink());
        _ = suite.Settings;

        suite.Save("""{ "Enabled": 3 }""").ShouldBeNull();
        suite.Save(Checkout6).ShouldBeNull();

        suite.Settings.CircuitBreakers.Named["checkout"].ConsecutiveFailures.ShouldBe(6);
    }

    [Fact]
    public async Task ConcurrentReloads_AreAppliedOneAtATimeAndEndAtTheLast()
    {
        MemoryConfigurationProvider? memory = null;
        using var suite = new SuiteUnderTest("{}", more: b => b.AddInMemoryCollection([new("Resilience:Bulkheads:x:MaxConcurrency", "1")]));
        memory = suite.Configuration.Providers.OfType<MemoryConfigurationProvider>().Single();
        var inside = 0;
        var most = 0;
        suite.Source.Subscribe(s => s.Bulkheads, _ =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inside));
            Interlocked.Decrement(ref inside);
        });

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() =>
        {
            for (var round = 0; round < 50; round++)
            {
                lock (memory)
                {
                    memory.Set("Resilience:Bulkheads:x:MaxConcurrency", $"{(worker * 50) + round + 2}");
                }

                suite.Configuration.Reload();
            }
        })));

        most.ShouldBe(1);
        memory.TryGet("Resilience:Bulkheads:x:MaxConcurrency", out var last);
        suite.Settings.Bulkheads.Named["x"].MaxConcurrency!.Value.ToString().ShouldBe(last);
    }

    [Fact]
    public void AfterDispose_ReloadsChangeNothing()
    {
        var suite = new SuiteUnderTest(Checkout5);
        var source = suite.Source;
        var before = source.Current;

        source.Dispose();
        suite.Save(Checkout6).ShouldBeNull();

        source.Current.ShouldBeSameAs(before);
        suite.Dispose();
    }

    private static void ThrowIf(bool condition)
    {
        if (condition)
        {
            throw new InvalidOperationException("boom");
        }
    }

    private sealed class ThrowingSink : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("sink");

        public void Dispose()
        {
        }
    }
}
