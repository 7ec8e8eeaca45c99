using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.History;
using ResilientHost.Hosting;
using ResilientHost.Testing;

namespace ResilientHost.Tests.History;

public sealed class EventLogTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    [Fact]
    public void Logs_OfTheSuite_AreKeptWithTheirPlaceAndTrace()
    {
        using var history = new HistoryUnderTest { Recorder = { IsWanted = true } };
        Logger(history).LogWarning(new EventId(1704, "Something"), "It {What}. Trace {TraceId}.", "happened", Trace);

        var logged = history.Recorder.Read(namesCallers: true).Events.ShouldHaveSingleItem();

        logged.ShouldBe(new LoggedEvent(1, history.Time.GetUtcNow(), 1704, "Something", "warning", "outbound", $"It happened. Trace {Trace}.", Trace));
        history.Recorder.Read(namesCallers: false).Events.Single().ShouldBe(logged with { Message = null });
    }

    [Fact]
    public void LoggerFactory_ThatTakesNoProviders_IsNamedOnce()
    {
        using var logs = new LogRecorder();
        using var history = new HistoryUnderTest(builder => builder.Services.AddSingleton<ILoggerFactory>(new DeafFactory(logs))) { Recorder = { IsWanted = true } };

        history.Recorder.KeepsEvents.ShouldBeFalse();
        logs.Entries.Single(static entry => entry.EventId.Id == 2923).Message.ShouldContain(nameof(DeafFactory));
    }

    [Fact]
    public void LoggerFactory_OfTheFramework_IsNoNews()
    {
        using var logs = new LogRecorder();
        using var history = new HistoryUnderTest(builder => builder.Logging.AddProvider(logs)) { Recorder = { IsWanted = true } };

        history.Recorder.KeepsEvents.ShouldBeTrue();
        logs.Entries.ShouldNotContain(static entry => entry.EventId.Id == 2922 || entry.EventId.Id == 2923);
    }

    [Theory]
    [InlineData("ResilientHost.X", 1000, LogLevel.Information, true)]
    [InlineData("ResilientHost", 2999, LogLevel.Critical, true)]
    [InlineData("ResilientHost.X", 999, LogLevel.Critical, false)]
    [InlineData("ResilientHost.X", 3000, LogLevel.Critical, false)]
    [InlineData("ResilientHost.X", 1000, LogLevel.Debug, false)]
    [InlineData("ResilientHostile.X", 1000, LogLevel.Critical, false)]
    [InlineData("Application", 1000, LogLevel.Critical, false)]
    public void Logs_OfAnybody_AreKeptByCategoryIdAndLevel(string category, int id, LogLevel level, bool kept)
    {
        using var history = new HistoryUnderTest { Recorder = { IsWanted = true } };

        history.Services.GetRequiredService<ILoggerFactory>().CreateLogger(category).Log(level, new EventId(id), "text");

        history.Recorder.Read(true).Events.Count.ShouldBe(kept ? 1 : 0);
    }

    [Theory]
    [InlineData("None", "None")]
    [InlineData("Critical", "Error")]
    [InlineData("Trace", "Trace")]
    public void Levels_OfTheApplicationsLogs_AreNoneOfItsConcern(string all, string ours)
    {
        using var history = new HistoryUnderTest(
            builder =>
            {
                builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Logging:LogLevel:Default"] = all, ["Logging:LogLevel:ResilientHost"] = ours, ["Logging:LogLevel:ResilientHost.X"] = ours });
                builder.Logging.SetMinimumLevel(LogLevel.None);
            })
        { Recorder = { IsWanted = true } };
        var logger = history.Services.GetRequiredService<ILoggerFactory>().CreateLogger("ResilientHost.X");

        logger.LogInformation(new EventId(1000), "kept");
        logger.LogDebug(new EventId(1000), "not kept");

        history.Recorder.Read(true).Events.Single().Message.ShouldBe("kept");
        var others = history.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Application");
        others.IsEnabled(LogLevel.Critical).ShouldBeFalse("nobody else's logs are written for it");
    }

    [Fact]
    public void Logs_BeforeAnybodyWantsThem_AreNotEvenEnabled()
    {
        using var history = new HistoryUnderTest();

        Logger(history).IsEnabled(LogLevel.Critical).ShouldBeFalse();
    }

    [Fact]
    public void Logs_MoreThanTwoHundred_KeepTheLatest()
    {
        using var history = new HistoryUnderTest { Recorder = { IsWanted = true } };
        for (var number = 1; number <= 1000; number++)
        {
            Logger(history).LogInformation(new EventId(1000), "{Number}", number);
        }

        var events = history.Recorder.Read(true).Events;

        events.Select(logged => logged.Id).ShouldBe(Enumerable.Range(801, 200).Select(id => (long)id));
        events[^1].Message.ShouldBe("1000");
    }

    [Fact]
    public void Message_ThatIsTooLong_IsCutAndStaysText()
    {
        using var history = new HistoryUnderTest { Recorder = { IsWanted = true } };
        Logger(history).LogInformation(new EventId(1000), "{Text}", new string('x', 498) + "😀😀");
        Logger(history).LogInformation(new EventId(1000), "{Text}", new string('x', 500));

        var messages = history.Recorder.Read(true).Events.Select(logged => logged.Message!).ToList();

        messages[0].ShouldBe(new string('x', 498) + "…");
        messages[1].ShouldBe(new string('x', 500));
    }

    [Fact]
    public void Exceptions_OfLogs_AreNotPartOfTheMessage()
    {
        using var history = new HistoryUnderTest { Recorder = { IsWanted = true } };

        Logger(history).Log(LogLevel.Error, new EventId(1000), "state", new InvalidOperationException("secret"), (state, exception) => $"{state} {exception?.Message}");

        history.Recorder.Read(true).Events.Single().Message.ShouldBe("state ");
    }

    [Theory]
    [InlineData("-")]
    [InlineData("00000000000000000000000000000000")]
    [InlineData(null)]
    public void Trace_ThatIsNotNamed_IsTheCurrentOne(string? named)
    {
        using var history = new HistoryUnderTest { Recorder = { IsWanted = true } };
        Logger(history).LogInformation(new EventId(1000), "{TraceId}", named);
        using (var activity = new Activity("call").SetParentId(ActivityTraceId.CreateFromString(Trace), ActivitySpanId.CreateRandom()).Start())
        {
            Logger(history).LogInformation(new EventId(1000), "{TraceId}", named);
        }

        history.Recorder.Read(true).Events.Select(logged => logged.TraceId).ShouldBe([null, Trace]);
    }

    [Fact]
    public void Logged_WithListenersThatThrowAndBlock_ReachesTheOthersInOrder()
    {
        using var history = new HistoryUnderTest { Recorder = { IsWanted = true } };
        var events = history.Services.GetRequiredService<ResilientHost.History.EventLog>();
        using var blocked = new ManualResetEventSlim();
        var seen = new List<long>();
        events.Logged += _ => throw new InvalidOperationException("listener");
        events.Logged += _ => blocked.Wait(TimeSpan.FromSeconds(30));
        events.Logged += logged =>
        {
            lock (seen)
            {
                seen.Add(logged.Id);
            }
        };

        for (var number = 0; number < 50; number++)
        {
            Logger(history).LogInformation(new EventId(1000), "text");
        }

        SpinWait.SpinUntil(() => { lock (seen) { return seen.Count == 50; } }, TimeSpan.FromSeconds(20)).ShouldBeTrue();
        seen.ShouldBe(Enumerable.Range(1, 50).Select(id => (long)id));
        blocked.Set();
    }

    [Fact]
    public void EverySlice_HasANameForItsEvents()
    {
        var blocks = typeof(CircuitBreaker).Assembly.GetType("ResilientHost.Telemetry.EventIds")!.GetFields().Select(field => (int)field.GetRawConstantValue()!).ToList();

        blocks.ShouldNotBeEmpty();
        blocks.Select(EventSlices.Of).ShouldBeUnique();
        blocks.Select(EventSlices.Of).ShouldNotContain("other");
    }

    private static ILogger Logger(HistoryUnderTest history) => history.Services.GetRequiredService<ILoggerFactory>().CreateLogger("ResilientHost.Test");

    // As Serilog's is, unless told otherwise.
    private sealed class DeafFactory(ILoggerProvider sink) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => sink.CreateLogger(categoryName);

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
