using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

using ResilientHost.CircuitBreaking;
using ResilientHost.Telemetry;

using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Tests.CircuitBreaking;

// Breakers of the registry that have a circuit for each caller.
public sealed class KeyedCircuitBreakerTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _log = new();
    private readonly ServiceProvider _provider;
    private readonly CircuitBreakerRegistry _registry;

    public KeyedCircuitBreakerTests()
    {
        _provider = new ServiceCollection()
            .AddSingleton<TimeProvider>(_time)
            .AddLogging(logging => logging.AddProvider(_log))
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
    public void Apply_PartitionBy_GivesEachCallerACircuitThatSpeaksOfItselfByTheName()
    {
        var set = Keyed();
        Trip(set.Get("acme"));
        set.Get("acme").TryEnter(out _, out var refusal).ShouldBeFalse();
        (refusal.Source, refusal.RetryAfter).ShouldBe(("db", 5 * Second));
        set.Get("globex").State.ShouldBe(CircuitState.Closed);
        _registry.Get("db").State.ShouldBe(CircuitState.Closed);
        _registry.All.ShouldBe([_registry.Get("db")]);
        Apply(("plain", new()));
        _registry.Get("plain").Partitions.ShouldBeNull();
    }

    [Fact]
    public void GetOrAddForEndpoint_PartitionBy_KeysEachEndpointOnItsOwn()
    {
        var old = _registry.GetOrAddForEndpoint("GET /old");
        old.Partitions.ShouldBeNull();
        _registry.Apply(new CircuitBreakerSettings(new Dictionary<string, CircuitBreakerOptions>(), Options()));
        var young = _registry.GetOrAddForEndpoint("GET /new");
        Trip(old.Partitions!.Get("acme"));
        young.Partitions!.Get("acme").State.ShouldBe(CircuitState.Closed);
        (old.Partitions.Name, young.Partitions.Name).ShouldBe(("GET /old", "GET /new"));
    }

    [Fact]
    public void Apply_Reload_KeepsPartitionsAndTheirStates()
    {
        var set = Keyed();
        var acme = set.Get("acme");
        Trip(acme);
        Apply(("db", Options(o => o.HalfOpenProbes = 7)));
        var breaker = _registry.Get("db");
        breaker.Partitions.ShouldBeSameAs(set);
        set.Get("acme").ShouldBeSameAs(acme);
        (acme.State, acme.Policy.HalfOpenProbes, set.Get("new").Policy.HalfOpenProbes).ShouldBe((CircuitState.Open, 7, 7));
    }

    [Fact]
    public void Apply_PartitionByTakenAway_LeavesOneCircuitAndAllThatWasCounted()
    {
        var set = Keyed();
        Refuse(set.Get("acme"), times: 3);
        Apply(("db", Options(o => o.PartitionBy = null)));
        var breaker = _registry.Get("db");
        breaker.Partitions.ShouldBeNull();
        (breaker.Snapshot().Refused, breaker.State).ShouldBe((3, CircuitState.Closed));
    }

    [Fact]
    public void Apply_OtherKindOfKey_BeginsAnewAndCodeDoesNot()
    {
        var set = Keyed();
        Apply(("db", Options(o => o.PartitionBy = "Host")));
        var hosts = _registry.Get("db").Partitions;
        hosts.ShouldNotBeNull().ShouldNotBeSameAs(set);
        Apply(("db", Options(o => (o.PartitionBy, o.PartitionKey) = (null, _ => "a"))));
        var coded = _registry.Get("db").Partitions;
        coded.ShouldNotBeNull().ShouldNotBeSameAs(hosts);
        Apply(("db", Options(o => (o.PartitionBy, o.PartitionKey) = (null, _ => "b"))));
        _registry.Get("db").Partitions.ShouldBeSameAs(coded, "configuring code may make a new delegate at each reload");
    }

    [Fact]
    public void Isolate_ByHand_HoldsForAllPartitionsAndThoseToCome()
    {
        var set = Keyed();
        var (breaker, acme, broken) = (_registry.Get("db"), set.Get("acme"), set.Get("broken"));
        Trip(broken);
        breaker.Isolate();
        (breaker.State, acme.State, broken.State).ShouldBe((CircuitState.Isolated, CircuitState.Isolated, CircuitState.Isolated));
        set.Get("later").TryEnter(out _, out var refusal).ShouldBeFalse();
        refusal.Source.ShouldBe("db");
        _time.Advance(TimeSpan.FromHours(1));
        set.Get("later").State.ShouldBe(CircuitState.Isolated);
        set.Count.ShouldBe(2, "keys that come meanwhile fill no places");
        breaker.Reset();
        (breaker.State, acme.State, broken.State, set.Get("later").State).ShouldBe((CircuitState.Closed, CircuitState.Closed, CircuitState.Closed, CircuitState.Closed));
        set.Get("later").ShouldNotBeSameAs(set.Other);
    }

    [Fact]
    public void ForceOpen_ByHand_HoldsForAllAndEndsForAll()
    {
        var set = Keyed();
        var (breaker, acme) = (_registry.Get("db"), set.Get("acme"));
        breaker.ForceOpen(30 * Second);
        (breaker.State, acme.State, set.Get("later").State).ShouldBe((CircuitState.Open, CircuitState.Open, CircuitState.Open));
        acme.TryEnter(out _, out var refusal).ShouldBeFalse();
        refusal.RetryAfter.ShouldBe(30 * Second);
        _time.Advance(30 * Second);
        (breaker.State, acme.State).ShouldBe((CircuitState.Closed, CircuitState.HalfOpen), "nobody would probe the breaker itself");
        set.Get("later").TryEnter(out _, out _).ShouldBeTrue();
    }

    [Fact]
    public void Apply_PartitionByForAnOpenCircuit_KeepsNewKeysOutUntilItsEnd()
    {
        Apply(("db", Options(o => o.PartitionBy = null)));
        var breaker = _registry.Get("db");
        Trip(breaker);
        _time.Advance(2 * Second);
        Apply(("db", Options()));
        breaker.Partitions!.Get("acme").TryEnter(out _, out var refusal).ShouldBeFalse();
        refusal.RetryAfter.ShouldBe(3 * Second);
        _time.Advance(3 * Second);
        breaker.Partitions.Get("acme").TryEnter(out _, out _).ShouldBeTrue();
        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Apply_PartitionByForAHalfOpenCircuit_ClosesItForNobodyWouldProbe()
    {
        Apply(("db", Options(o => o.PartitionBy = null)));
        var breaker = _registry.Get("db");
        breaker.ForceOpen();
        _time.Advance(5 * Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        Apply(("db", Options()));
        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void IsolateAndReset_ByTwoOperatorsAtOnce_LeaveAllInOneState()
    {
        var set = Keyed();
        var breaker = _registry.Get("db");
        var keys = Enumerable.Range(0, 50).Select(i => "key" + i).ToList();
        keys.ForEach(key => set.Get(key));
        for (var round = 0; round < 100; round++)
        {
            Parallel.Invoke(breaker.Isolate, breaker.Reset, breaker.Isolate, () => set.Get("new" + round));
            keys.Select(key => set.Get(key).State).Distinct().ShouldBe([breaker.State]);
        }
    }

    [Fact]
    public void NotClosed_MoreThanAskedFor_IsBounded()
    {
        var set = Keyed();
        for (var i = 0; i < 20; i++)
        {
            set.Get("fine" + i);
            set.Get("broken" + i).ForceOpen();
        }

        set.NotClosed(5).Count.ShouldBe(5);
        var all = set.NotClosed(100);
        all.Select(entry => entry.Key).Order().ShouldBe(Enumerable.Range(0, 20).Select(i => "broken" + i).Order());
        all.ShouldAllBe(entry => ReferenceEquals(set.Get(entry.Key), entry.Breaker));
        set.NotClosed(0).ShouldBeEmpty();
        _time.Advance(5 * Second);
        set.NotClosed(100).ShouldAllBe(entry => entry.Breaker.State == CircuitState.HalfOpen);
    }

    [Fact]
    public void TryGet_KeyWithoutACircuit_MakesNone()
    {
        var set = Keyed();
        set.TryGet("acme", out _).ShouldBeFalse();
        set.Count.ShouldBe(0);
        var acme = set.Get("acme");
        set.TryGet("acme", out var found).ShouldBeTrue();
        found.ShouldBeSameAs(acme);
    }

    [Fact]
    public void Get_AMillionKeys_StaysBoundedAndAnOpenPartitionSurvives()
    {
        var set = Keyed(o => (o.MaxPartitions, o.BreakDuration, o.MaxBreakDuration) = (10_000, TimeSpan.FromHours(1), TimeSpan.FromHours(1)));
        var open = set.Get("open");
        Trip(open);
        var isolated = set.Get("isolated");
        isolated.Isolate();
        for (var i = 0; i < 1_000_000; i++)
        {
            Call(set.Get("key" + i), CallOutcome.Succeeded);
            if (i % 100_000 == 0)
            {
                _time.Advance(31 * Second);
            }
        }

        set.Count.ShouldBe(10_000);
        set.Get("open").ShouldBeSameAs(open);
        open.State.ShouldBe(CircuitState.Open);
        set.Get("isolated").ShouldBeSameAs(isolated);
        set.NotClosed(10).Count.ShouldBe(2);
    }

    [Fact]
    public void Metrics_OfPartitions_AreTheSetsAndHoldNoKey()
    {
        var set = Keyed(o => o.MaxPartitions = 2);
        using var metrics = new MetricRecorder(MeterName, _provider.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        Refuse(set.Get("tenant-acme"), times: 3);
        set.Get("tenant-globex");
        metrics.RecordObservableInstruments();
        metrics.Last(Instruments.CircuitBreakerPartitions, (Tags.CircuitBreakerName, "db"), (Tags.CircuitState, "open")).ShouldBe(1);
        metrics.Last(Instruments.CircuitBreakerPartitions, (Tags.CircuitBreakerName, "db"), (Tags.CircuitState, "closed")).ShouldBe(1);
        metrics.Last(Instruments.CircuitBreakerPartitions, (Tags.CircuitBreakerName, "db"), (Tags.CircuitState, "isolated")).ShouldBe(0);
        metrics.Last(Instruments.CircuitBreakerRefusals, (Tags.CircuitBreakerName, "db")).ShouldBe(3);
        metrics.Last(Instruments.CircuitBreakerState, (Tags.CircuitBreakerName, "db"), (Tags.CircuitState, "closed")).ShouldBe(1);

        set.Get("tenant-acme").Reset();
        for (var i = 0; i < 10; i++)
        {
            set.Get("tenant-" + i);
        }

        set.TryGet("tenant-acme", out _).ShouldBeFalse("it was evicted");
        metrics.RecordObservableInstruments();
        metrics.Last(Instruments.CircuitBreakerRefusals, (Tags.CircuitBreakerName, "db")).ShouldBe(3, "totals never go down");
        metrics.Measurements.SelectMany(measurement => measurement.Tags.Values).ShouldNotContain(value => value != null && value.ToString()!.Contains("tenant", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Transitions_OfPartitions_AreCountedUnderTheName()
    {
        var set = Keyed();
        using var metrics = new MetricRecorder(MeterName, _provider.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        Trip(set.Get("acme"));
        Trip(set.Get("globex"));
        await metrics.WaitUntilAsync(
            all => all.Where(m => m.Instrument == Instruments.CircuitBreakerTransitions && m.HasTags((Tags.CircuitBreakerName, "db"), (Tags.CircuitTo, "open"))).Sum(m => m.Value) == 2,
            Patience,
            TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Log_PartitionMoves_SaysSoWithoutItsKey()
    {
        Trip(Keyed().Get("tenant-acme"));
        var entry = await _log.WaitForAsync(_ => true, Patience, TestContext.Current.CancellationToken);
        (entry.EventId.Id, entry.Level, entry.Message).ShouldBe((
            EventIds.CircuitBreaking + 6,
            LogLevel.Information,
            "A partition of circuit breaker 'db' went from Closed to Open (FailureRatio, era 2) at 2030-01-01T00:00:00.0000000+00:00. Trace -."));
    }

    [Fact]
    public void Log_ManyPartitionsMove_OneLineThenASum()
    {
        var services = new CircuitServices(_time);
        using var telemetry = new CircuitPartitionTelemetry(
            new CircuitBreakerMetrics(_provider.GetRequiredService<ResilienceMeter>(), () => []), _log.CreateLogger("circuits"), services);
        var write = telemetry.ListenersOf(new CircuitBreaker("db", new CircuitBreakerOptions(), _time))[1].Handler;
        var transition = new CircuitTransition("db", CircuitState.Closed, CircuitState.Open, CircuitTransitionCause.FailureRatio, 2, _time.GetUtcNow());
        for (var i = 0; i < 50; i++)
        {
            write(transition);
        }

        _log.Entries.Count.ShouldBe(1);
        _time.Advance(10 * Second);
        _log.Entries[1].Message.ShouldBe("Partitions of circuit breaker 'db' changed their state 49 more times within 10 s.");
        write(transition);
        telemetry.Dispose();
        _log.Entries[2].Message.ShouldBe("Partitions of circuit breaker 'db' changed their state 1 more times within 10 s.");
        write(transition);
        _log.Entries.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Transitioned_OfTheBreaker_TellsOfItsPartitions()
    {
        var set = Keyed();
        var heard = new TaskCompletionSource<CircuitTransition>(TaskCreationOptions.RunContinuationsAsynchronously);
        _registry.Get("db").Transitioned += heard.SetResult;
        Trip(set.Get("acme"));
        var transition = await heard.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        (transition.Name, transition.To, transition.Cause).ShouldBe(("db", CircuitState.Open, CircuitTransitionCause.FailureRatio));
    }

    [Fact]
    public void Exit_KeyedByTenantWithDistinctCallers_CountsTheCallersOfEachTenant()
    {
        var set = Keyed(o => o.MinimumDistinctCallers = 2);
        foreach (var tenant in new[] { "acme", "globex" })
        {
            for (var i = 0; i < 5; i++)
            {
                Enter(set.Get(tenant), out var permit);
                set.Get(tenant).Exit(permit, CallOutcome.Failed, "mallory of " + tenant).ShouldBeNull();
            }
        }

        Enter(set.Get("acme"), out var last);
        set.Get("acme").Exit(last, CallOutcome.Failed, "alice")!.To.ShouldBe(CircuitState.Open);
        set.Get("globex").State.ShouldBe(CircuitState.Closed);
    }

    private static CircuitBreakerOptions Options(Action<CircuitBreakerOptions>? change = null)
    {
        var options = new CircuitBreakerOptions { PartitionBy = "Header:X-Tenant", MinimumThroughput = 2, BreakJitter = 0 };
        change?.Invoke(options);
        return options;
    }

    private CircuitBreakerPartitions<string> Keyed(Action<CircuitBreakerOptions>? change = null)
    {
        Apply(("db", Options(change)));
        return _registry.Get("db").Partitions.ShouldNotBeNull();
    }

    private void Apply(params (string Name, CircuitBreakerOptions Options)[] named) =>
        _registry.Apply(new CircuitBreakerSettings(named.ToDictionary(e => e.Name, e => e.Options), new() { Mode = CircuitMode.Shadow }));

    private static void Enter(CircuitBreaker breaker, out CircuitPermit permit) => breaker.TryEnter(out permit, out _).ShouldBeTrue();

    private static void Call(CircuitBreaker breaker, CallOutcome outcome)
    {
        Enter(breaker, out var permit);
        breaker.Exit(permit, outcome);
    }

    private static void Trip(CircuitBreaker breaker)
    {
        Call(breaker, CallOutcome.Failed);
        Call(breaker, CallOutcome.Failed);
        breaker.State.ShouldBe(CircuitState.Open);
    }

    private static void Refuse(CircuitBreaker breaker, int times)
    {
        Trip(breaker);
        for (var i = 0; i < times; i++)
        {
            breaker.TryEnter(out _, out _).ShouldBeFalse();
        }
    }
}
