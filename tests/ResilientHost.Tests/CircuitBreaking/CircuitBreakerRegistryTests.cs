using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

using ResilientHost.CircuitBreaking;
using ResilientHost.Telemetry;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed class CircuitBreakerRegistryTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogSink _log = new();
    private readonly ServiceProvider _provider;
    private readonly CircuitBreakerRegistry _registry;

    public CircuitBreakerRegistryTests()
    {
        _provider = new ServiceCollection()
            .AddSingleton<TimeProvider>(_time)
            .AddLogging(logging => logging.AddProvider(_log))
            .AddCircuitBreaking()
            .AddCircuitBreaking()
            .BuildServiceProvider();
        _registry = _provider.GetRequiredService<CircuitBreakerRegistry>();
    }

    public void Dispose()
    {
        _provider.Dispose();
        _log.Dispose();
    }

    [Fact]
    public void Get_UnknownName_ListsTheNamesThereAre()
    {
        Should.Throw<KeyNotFoundException>(() => _registry.Get("x")).Message.ShouldBe("There is no circuit breaker 'x': configuration names none.");
        Apply(("pricing", new()), ("checkout", new()));
        Should.Throw<KeyNotFoundException>(() => _registry.Get("chekout"))
            .Message.ShouldBe("There is no circuit breaker 'chekout'. Configuration names: checkout, pricing.");
        _registry.TryGet("chekout", out _).ShouldBeFalse();
        _registry.TryGet("checkout", out var breaker).ShouldBeTrue();
        breaker.ShouldBeSameAs(_registry.Get("checkout"));
    }

    [Fact]
    public void Apply_Reload_AddsChangesAndKeepsInPlace()
    {
        Apply(("a", new()), ("b", new()));
        var (a, b) = (_registry.Get("a"), _registry.Get("b"));
        a.Isolate();
        var policy = b.Policy;
        Apply(("a", new() { HalfOpenProbes = 5 }), ("b", new()), ("c", new()));
        _registry.Get("a").ShouldBeSameAs(a);
        (a.State, a.Policy.HalfOpenProbes).ShouldBe((CircuitState.Isolated, 5));
        b.Policy.ShouldBeSameAs(policy);
        Apply(("c", new()));
        _registry.Get("a").Policy.HalfOpenProbes.ShouldBe(5);
        _registry.Names.ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public void Apply_Invalid_TellsEveryErrorAndChangesNothing()
    {
        Apply(("a", new()));
        var error = Should.Throw<OptionsValidationException>(() => Apply(("a", new() { HalfOpenProbes = 2 }), ("b", new() { HalfOpenProbes = 0 }), ("c", new() { WindowSize = -1 })));
        error.Failures.Count().ShouldBe(2);
        _registry.Names.ShouldBe(["a"]);
        _registry.Get("a").Policy.HalfOpenProbes.ShouldBe(3);
    }

    [Fact]
    public void GetOrAddForEndpoint_BeyondTheCap_SharesOne()
    {
        for (var i = 0; i < CircuitBreakerRegistry.MaxEndpoints; i++)
        {
            _registry.GetOrAddForEndpoint("GET /" + i).Name.ShouldBe("GET /" + i);
        }

        _registry.GetOrAddForEndpoint("GET /more").Name.ShouldBe("other");
        _registry.GetOrAddForEndpoint("GET /evenmore").ShouldBeSameAs(_registry.GetOrAddForEndpoint("GET /more"));
        _registry.GetOrAddForEndpoint("GET /7").Name.ShouldBe("GET /7");
        _registry.All.Count.ShouldBe(CircuitBreakerRegistry.MaxEndpoints + 1);
        _registry.Names.ShouldBeEmpty();
    }

    [Fact]
    public void GetOrAddForEndpoint_Settings_ReachOldAndNewOnes()
    {
        var old = _registry.GetOrAddForEndpoint("GET /old");
        old.Policy.Mode.ShouldBe(CircuitMode.Shadow, "safe on installation");
        _registry.Apply(new CircuitBreakerSettings(new Dictionary<string, CircuitBreakerOptions>(), new() { Mode = CircuitMode.Enforce }));
        old.Policy.Mode.ShouldBe(CircuitMode.Enforce);
        _registry.GetOrAddForEndpoint("GET /new").Policy.Mode.ShouldBe(CircuitMode.Enforce);
    }

    [Fact]
    public void Transitions_OfEveryKind_AreLoggedWithStableIdsAndLevels()
    {
        Apply(("a", new() { MinimumThroughput = 1, HalfOpenProbes = 1, BreakJitter = 0 }), ("shadow", new() { MinimumThroughput = 1, Mode = CircuitMode.Shadow }));
        var breaker = _registry.Get("a");
        Fail(breaker);
        _log.Next().ShouldBe((1000, LogLevel.Warning, "Circuit breaker 'a' opened (FailureRatio, era 2) at 2030-01-01T00:00:00.0000000+00:00; calls are refused. Trace -."));
        _time.Advance(TimeSpan.FromSeconds(5));
        breaker.TryEnter(out var probe, out _).ShouldBeTrue();
        _log.Next().ShouldBe((1001, LogLevel.Information, "Circuit breaker 'a' is half-open since 2030-01-01T00:00:05.0000000+00:00 (era 3); probes may pass."));
        breaker.Exit(probe, CallOutcome.Succeeded);
        _log.Next().ShouldBe((1002, LogLevel.Information, "Circuit breaker 'a' closed (ProbesSucceeded, era 4) at 2030-01-01T00:00:05.0000000+00:00."));
        breaker.Isolate();
        _log.Next().ShouldBe((1003, LogLevel.Warning, "Circuit breaker 'a' was moved from Closed to Isolated by hand or configuration (era 5) at 2030-01-01T00:00:05.0000000+00:00."));
        Fail(_registry.Get("shadow"));
        var (id, level, _) = _log.Next();
        (id, level).ShouldBe((1005, LogLevel.Warning));
        breaker.Transitioned += _ => throw new FormatException();
        breaker.Reset();
        new[] { _log.Next().Id, _log.Next().Id }.Order().ShouldBe([1003, 1004]);
    }

    [Fact]
    public void Metrics_Sampled_ShowStatesRefusalsAndTransitions()
    {
        Apply(("a", new() { BreakJitter = 0 }));
        var breaker = _registry.Get("a");
        var transitions = new BlockingCollection<string>();
        var sampled = new List<string>();
        using var listener = new MeterListener();
        var meter = _provider.GetRequiredService<ResilienceMeter>().Meter;
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => sampled.Add(Describe(instrument, value, tags)));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (instrument.Name == ResilienceDiagnostics.Instruments.CircuitBreakerTransitions)
            {
                transitions.Add(Describe(instrument, value, tags));
            }
            else
            {
                sampled.Add(Describe(instrument, value, tags));
            }
        });
        listener.Start();
        breaker.ForceOpen();
        breaker.TryEnter(out _, out _).ShouldBeFalse();
        transitions.TryTake(out var first, TimeSpan.FromSeconds(20)).ShouldBeTrue();
        first.ShouldBe("resilient_host.circuit_breaker.transitions 1 a closed open manual");
        _time.Advance(TimeSpan.FromSeconds(5));
        listener.RecordObservableInstruments();
        transitions.TryTake(out var second, TimeSpan.FromSeconds(20)).ShouldBeTrue("sampling observes that the break has elapsed");
        second.ShouldBe("resilient_host.circuit_breaker.transitions 1 a open half_open break_elapsed");
        sampled.Order().ShouldBe(
        [
            "resilient_host.circuit_breaker.late_results 0 a",
            "resilient_host.circuit_breaker.refusals 1 a",
            "resilient_host.circuit_breaker.state 0 a closed",
            "resilient_host.circuit_breaker.state 0 a isolated",
            "resilient_host.circuit_breaker.state 0 a open",
            "resilient_host.circuit_breaker.state 1 a half_open",
        ]);
    }

    private static string Describe<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        $"{instrument.Name} {value} {string.Join(' ', tags.ToArray().Select(tag => tag.Value))}";

    private static void Fail(CircuitBreaker breaker)
    {
        breaker.TryEnter(out var permit, out _).ShouldBeTrue();
        breaker.Exit(permit, CallOutcome.Failed);
    }

    private void Apply(params (string Name, CircuitBreakerOptions Options)[] named) =>
        _registry.Apply(new CircuitBreakerSettings(named.ToDictionary(e => e.Name, e => e.Options), new() { Mode = CircuitMode.Shadow }));

    private sealed class LogSink : ILoggerProvider, ILogger
    {
        private readonly BlockingCollection<(int Id, LogLevel Level, string Text)> _entries = [];

        public (int Id, LogLevel Level, string Text) Next()
        {
            _entries.TryTake(out var entry, TimeSpan.FromSeconds(20)).ShouldBeTrue("a log entry was expected");
            return entry;
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _entries.Add((eventId.Id, logLevel, formatter(state, exception)));

        public void Dispose() => _entries.Dispose();
    }
}
