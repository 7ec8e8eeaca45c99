using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost.Bulkheads;
using Instruments = ResilientHost.ResilienceDiagnostics.Instruments;
using Tags = ResilientHost.ResilienceDiagnostics.Tags;

namespace ResilientHost.Tests.Bulkheads;

public sealed class BulkheadRegistryTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _logs = new();
    private readonly ServiceProvider _services;
    private readonly BulkheadRegistry _registry;
    private readonly MetricRecorder _metrics;

    public BulkheadRegistryTests()
    {
        _services = new ServiceCollection()
            .AddSingleton<TimeProvider>(_time)
            .AddLogging(logging => logging.AddProvider(_logs))
            .AddBulkheads()
            .AddBulkheads()
            .BuildServiceProvider();
        _metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, _services.GetRequiredService<IMeterFactory>());
        _registry = _services.GetRequiredService<BulkheadRegistry>();
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _services.Dispose();
        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public void Get_UnknownName_ThrowsAndListsTheNamesThereAre()
    {
        Apply(("b", 1), ("a", 1));

        Should.Throw<KeyNotFoundException>(() => _registry.Get("c")).Message
            .ShouldBe("There is no bulkhead 'c'. Names in configuration (Resilience:Bulkheads): a, b.");
        _registry.TryGet("c", out _).ShouldBeFalse();
        _registry.Get("A").ShouldBeSameAs(_registry.Get("a"));
        _registry.Names.ShouldBe(["a", "b"]);
    }

    [Fact]
    public void Apply_Reload_AddsChangesKeeps()
    {
        Apply(("changed", 1), ("unchanged", 1), ("vanishing", 7));
        var changed = _registry.Get("changed");
        var unchangedPolicy = _registry.Get("unchanged").Policy;
        changed.TryEnter(out _, out _).ShouldBeTrue();

        Apply(("changed", 2), ("unchanged", 1), ("new", 3));

        _registry.Get("changed").ShouldBeSameAs(changed);
        changed.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 2, InFlight = 1 });
        _registry.Get("unchanged").Policy.ShouldBeSameAs(unchangedPolicy);
        _registry.Get("vanishing").Snapshot().Limit.ShouldBe(7);
        _registry.Get("new").Snapshot().Limit.ShouldBe(3);
        _registry.Names.ShouldBe(["changed", "new", "unchanged"]);
        _registry.All.Count.ShouldBe(4);
        _logs.Entries.ShouldHaveSingleItem().EventId.Id.ShouldBe(1102);
    }

    [Fact]
    public void Apply_OneInvalid_ThrowsEveryErrorAndChangesNothing()
    {
        Apply(("a", 1));

        var error = Should.Throw<OptionsValidationException>(() => Apply(("a", 2), ("b", 0), ("c", -1)));

        error.Failures.ShouldBe([
            "Bulkhead 'b': MaxConcurrency must be at least 1 call, or null for no limit, but is 0.",
            "Bulkhead 'c': MaxConcurrency must be at least 1 call, or null for no limit, but is -1.",
        ]);
        _registry.Get("a").Snapshot().Limit.ShouldBe(1);
        _registry.Names.ShouldBe(["a"]);
    }

    [Fact]
    public void GetOrAddForEndpoint_SameKey_IsOneBulkheadWithoutLimit()
    {
        var bulkhead = _registry.GetOrAddForEndpoint("GET /products/{id}");

        _registry.GetOrAddForEndpoint("GET /products/{id}").ShouldBeSameAs(bulkhead);
        bulkhead.Snapshot().Limit.ShouldBe(int.MaxValue);
        bulkhead.Name.ShouldBe("GET /products/{id}");
    }

    [Fact]
    public void GetOrAddForEndpoint_BeyondTheBound_SharesOne()
    {
        for (var i = 0; i < BulkheadRegistry.MaxEndpoints; i++)
        {
            _registry.GetOrAddForEndpoint($"GET /{i}").Name.ShouldBe($"GET /{i}");
        }

        var overflow = _registry.GetOrAddForEndpoint("GET /one-more");

        overflow.Name.ShouldBe("other");
        _registry.GetOrAddForEndpoint("GET /and-another").ShouldBeSameAs(overflow);
        _registry.All.Count.ShouldBe(BulkheadRegistry.MaxEndpoints + 1);
        _registry.Apply(BulkheadSettings.Default with { ForEndpoints = new BulkheadOptions { MaxConcurrency = 5 } });
        overflow.Snapshot().Limit.ShouldBe(5);
        _registry.GetOrAddForEndpoint("GET /1").Snapshot().Limit.ShouldBe(5);
    }

    [Fact]
    public async Task Metrics_CallsInsideWaitingAndRefused_AreReadOnDemandAndEndBalanced()
    {
        Apply(("checkout", 1));
        var bulkhead = _registry.Get("checkout");
        var endpoint = _registry.GetOrAddForEndpoint("GET /");
        (string, object?) name = (Tags.BulkheadName, "checkout");
        bulkhead.TryEnter(out var holder, out _).ShouldBeTrue();
        endpoint.TryEnter(out var visitor, out _).ShouldBeTrue();
        var timedOut = bulkhead.EnterAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await timedOut).IsAdmitted.ShouldBeFalse();
        var served = bulkhead.EnterAsync().AsTask();
        bulkhead.TryEnter(out _, out _).ShouldBeFalse();

        _metrics.RecordObservableInstruments();
        _metrics.Last(Instruments.BulkheadInFlight, name).ShouldBe(1);
        _metrics.Last(Instruments.BulkheadInFlight, (Tags.BulkheadName, "GET /")).ShouldBe(1);
        _metrics.Last(Instruments.BulkheadQueued, name).ShouldBe(1);
        _metrics.Last(Instruments.BulkheadLimit, name).ShouldBe(1);
        _metrics.Last(Instruments.BulkheadLimit, (Tags.BulkheadName, "GET /")).ShouldBeNull();
        _metrics.Last(Instruments.BulkheadRefusals, name, (Tags.RefusalReason, "bulkhead_full")).ShouldBe(1);
        _metrics.Last(Instruments.BulkheadRefusals, name, (Tags.RefusalReason, "queue_timeout")).ShouldBe(1);

        _time.Advance(TimeSpan.FromMilliseconds(250));
        bulkhead.Exit(holder, CallOutcome.Succeeded);
        endpoint.Exit(visitor, CallOutcome.Succeeded);
        bulkhead.Exit((await served).Lease, CallOutcome.Succeeded);
        _metrics.RecordObservableInstruments();
        _metrics.Last(Instruments.BulkheadInFlight, name).ShouldBe(0);
        _metrics.Last(Instruments.BulkheadQueued, name).ShouldBe(0);
        _metrics.Of(Instruments.BulkheadQueueDuration, name).Select(m => (m.Value, m.Tags[Tags.BulkheadQueueOutcome], m.Unit))
            .ShouldBe([(1, "queue_timeout", "s"), (0.25, "admitted", "s")]);
        _time.Advance(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void Metrics_Shadow_CountsWhatItWouldHaveRefusedApart()
    {
        _registry.Apply(Settings(("checkout", new BulkheadOptions { MaxConcurrency = 1, Mode = BulkheadMode.Shadow })));
        var bulkhead = _registry.Get("checkout");
        bulkhead.TryEnter(out _, out _).ShouldBeTrue();
        bulkhead.TryEnter(out _, out _).ShouldBeTrue();

        _metrics.RecordObservableInstruments();

        _metrics.Last(Instruments.BulkheadShadowRefusals, (Tags.BulkheadName, "checkout")).ShouldBe(1);
        _metrics.Last(Instruments.BulkheadRefusals, (Tags.BulkheadName, "checkout"), (Tags.RefusalReason, "bulkhead_full")).ShouldBe(0);
    }

    [Fact]
    public void Logs_StormOfRefusals_AreOneLineAndThenOnePerTenSecondsWithACount()
    {
        Apply(("checkout", 1));
        var bulkhead = _registry.Get("checkout");
        bulkhead.TryEnter(out _, out _).ShouldBeTrue();

        Refuse(100);
        Ids().ShouldBe([1100]);
        _logs.Entries[0].Level.ShouldBe(LogLevel.Warning);
        _logs.Entries[0].ValueOf("Bulkhead").ShouldBe("checkout");

        _time.Advance(TimeSpan.FromSeconds(10));
        Ids().ShouldBe([1100, 1101]);
        _logs.Entries[1].ValueOf("Count").ShouldBe(99L);

        Refuse(5);
        _time.Advance(TimeSpan.FromSeconds(10));
        _logs.Entries[2].ValueOf("Count").ShouldBe(5L);

        _time.Advance(TimeSpan.FromSeconds(60));
        Ids().ShouldBe([1100, 1101, 1101]);

        Refuse(1);
        Ids().ShouldBe([1100, 1101, 1101, 1100]);

        void Refuse(int times)
        {
            for (var i = 0; i < times; i++)
            {
                bulkhead.TryEnter(out _, out _).ShouldBeFalse();
            }
        }

        IEnumerable<int> Ids() => _logs.Entries.Select(entry => entry.EventId.Id);
    }

    [Fact]
    public void Apply_PartitionComesStaysAndGoes_SharesFollow()
    {
        Apply(("plain", 1));
        _registry.Get("plain").Shares.ShouldBeNull();
        _registry.GetOrAddForEndpoint("GET /").Shares.ShouldBeNull();

        _registry.Apply(Settings(("plain", Partitioned(2))));
        var shares = _registry.Get("plain").Shares.ShouldNotBeNull();
        shares.TryEnter("a", out var ticket, out _).ShouldBeTrue();

        _registry.Apply(Settings(("plain", Partitioned(3)), ("fresh", Partitioned(3))));
        _registry.Get("plain").Shares.ShouldBeSameAs(shares);
        _registry.Get("fresh").Shares.ShouldNotBeNull();

        Apply(("plain", 1), ("fresh", 1));
        _registry.Get("plain").Shares.ShouldBeNull();
        FairShare.Exit(ticket);
        shares.Inside.ShouldBe(0);
    }

    [Fact]
    public void Telemetry_OfShares_CountsThemAndNamesNoCaller()
    {
        _registry.Apply(Settings(("checkout", Partitioned(2))));
        var shares = _registry.Get("checkout").Shares!;
        shares.TryEnter("secret-a", out _, out _).ShouldBeTrue();
        shares.TryEnter("secret-b", out _, out _).ShouldBeTrue();
        shares.TryEnter("secret-a", out _, out _).ShouldBeFalse();
        shares.TryEnter("secret-a", out _, out _).ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(10));

        _metrics.RecordObservableInstruments();
        _metrics.Last(Instruments.BulkheadShareRefusals, (Tags.BulkheadName, "checkout")).ShouldBe(2);
        _metrics.Last(Instruments.BulkheadPartitions, (Tags.BulkheadName, "checkout")).ShouldBe(2);
        _metrics.Of(Instruments.BulkheadShadowShareRefusals).ShouldBeEmpty();
        _logs.Entries.Select(entry => (entry.EventId.Id, entry.ValueOf("Count"))).ShouldBe([(1103, null), (1104, 1L)]);
        _logs.Entries.ShouldAllBe(entry => !entry.Message.Contains("secret", StringComparison.Ordinal));
        _metrics.Measurements.SelectMany(measurement => measurement.Tags.Values).ShouldAllBe(value => !$"{value}".Contains("secret", StringComparison.Ordinal));
        _time.Advance(TimeSpan.FromSeconds(10));

        // A counter that has begun neither vanishes nor begins anew.
        Apply(("checkout", 2));
        _registry.Apply(Settings(("checkout", Partitioned(2))));
        _metrics.RecordObservableInstruments();
        _metrics.Last(Instruments.BulkheadShareRefusals, (Tags.BulkheadName, "checkout")).ShouldBe(2);
        _metrics.Last(Instruments.BulkheadPartitions, (Tags.BulkheadName, "checkout")).ShouldBe(0);
    }

    [Fact]
    public void Metrics_SharesInShadow_CountsWhatTheyWouldHaveRefused()
    {
        var options = Partitioned(1);
        options.Mode = BulkheadMode.Shadow;
        _registry.Apply(Settings(("checkout", options)));
        var shares = _registry.Get("checkout").Shares!;
        foreach (var key in new[] { "a", "b", "a" })
        {
            shares.TryEnter(key, out _, out _).ShouldBeTrue();
        }

        _metrics.RecordObservableInstruments();

        _metrics.Last(Instruments.BulkheadShadowShareRefusals, (Tags.BulkheadName, "checkout")).ShouldBe(1);
        _metrics.Last(Instruments.BulkheadShareRefusals, (Tags.BulkheadName, "checkout")).ShouldBe(0);
    }

    [Fact]
    public async Task Telemetry_ListenerThatThrows_ReachesNoCaller()
    {
        Apply(("checkout", 1));
        var bulkhead = _registry.Get("checkout");
        using MeterListener hostile = new();
        hostile.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, _services.GetRequiredService<IMeterFactory>()))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        hostile.SetMeasurementEventCallback<double>((_, _, _, _) => throw new InvalidDataException());
        hostile.Start();
        bulkhead.TryEnter(out var holder, out _).ShouldBeTrue();
        var waiting = bulkhead.EnterAsync().AsTask();

        bulkhead.Exit(holder, CallOutcome.Succeeded);

        (await waiting).IsAdmitted.ShouldBeTrue();
    }

    [Fact]
    public void Text_OfEveryEnd_IsStable() =>
        Enum.GetValues<WaitEnd>().Where(end => end != WaitEnd.None).ToDictionary(end => end, BulkheadMetrics.Text).ShouldBe(new Dictionary<WaitEnd, string>
        {
            [WaitEnd.Admitted] = "admitted",
            [WaitEnd.Displaced] = "bulkhead_full",
            [WaitEnd.TimedOut] = "queue_timeout",
            [WaitEnd.Cancelled] = "cancelled",
        });

    private static BulkheadOptions Partitioned(int limit) => new() { MaxConcurrency = limit, PartitionBy = "User" };

    private static BulkheadSettings Settings(params (string Name, BulkheadOptions Options)[] named) =>
        BulkheadSettings.Default with { Named = named.ToDictionary(pair => pair.Name, pair => pair.Options) };

    private void Apply(params (string Name, int Limit)[] named) =>
        _registry.Apply(Settings([.. named.Select(pair => (pair.Name, new BulkheadOptions { MaxConcurrency = pair.Limit, QueueLength = 1 }))]));
}
