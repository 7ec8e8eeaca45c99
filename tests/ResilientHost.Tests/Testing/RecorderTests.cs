using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Tests.Testing;

public class RecorderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void MetricRecorder_NumbersOfEveryType_AreSummedByTag()
    {
        using Meter meter = new("recorder-types");
        using MetricRecorder recorder = new("recorder-types");

        meter.CreateCounter<byte>("c.byte").Add(1);
        meter.CreateCounter<short>("c.short").Add(2);
        meter.CreateCounter<int>("c.int").Add(3, new KeyValuePair<string, object?>("k", "a"));
        meter.CreateCounter<long>("c.long").Add(4);
        meter.CreateCounter<float>("c.float").Add(5);
        meter.CreateHistogram<double>("c.double", "s").Record(6);
        meter.CreateUpDownCounter<decimal>("c.decimal").Add(-7);

        recorder.Measurements.Select(m => m.Value).ShouldBe([1, 2, 3, 4, 5, 6, -7]);
        recorder.Of("c.double").ShouldHaveSingleItem().Unit.ShouldBe("s");
        recorder.Sum("c.int", ("k", "a")).ShouldBe(3);
        recorder.Sum("c.int", ("k", "b")).ShouldBe(0);
        recorder.Last("c.none").ShouldBeNull();
    }

    [Fact]
    public void MetricRecorder_MetersOfOtherNameOrScope_AreNotRecorded()
    {
        object ours = new();
        using Meter mine = new(new MeterOptions("recorder-scope") { Scope = ours });
        using Meter twin = new(new MeterOptions("recorder-scope") { Scope = new object() });
        using Meter other = new(new MeterOptions("recorder-other") { Scope = ours });
        using MetricRecorder recorder = new("recorder-scope", ours);

        mine.CreateCounter<int>("calls").Add(1);
        twin.CreateCounter<int>("calls").Add(10);
        other.CreateCounter<int>("calls").Add(100);

        recorder.Sum("calls").ShouldBe(1);
    }

    [Fact]
    public void MetricRecorder_ObservableInstrument_IsReadOnDemandAndNotSummed()
    {
        using Meter meter = new("recorder-observable");
        using MetricRecorder recorder = new("recorder-observable");
        var value = 5;
        meter.CreateObservableUpDownCounter("level", () => value);
        recorder.Last("level").ShouldBeNull();

        recorder.RecordObservableInstruments();
        value = 3;
        recorder.RecordObservableInstruments();

        recorder.Last("level").ShouldBe(3);
        Should.Throw<InvalidOperationException>(() => recorder.Sum("level"));
    }

    [Fact]
    public void MetricRecorder_BeyondCapacity_KeepsTheNewestAndSaysSo()
    {
        using Meter meter = new("recorder-bound");
        using MetricRecorder recorder = new("recorder-bound", capacity: 2);
        var counter = meter.CreateCounter<int>("calls");

        counter.Add(1);
        counter.Add(2);
        counter.Add(3);

        recorder.Measurements.Select(m => m.Value).ShouldBe([2, 3]);
        recorder.Dropped.ShouldBe(1);
        Should.Throw<ArgumentOutOfRangeException>(() => new MetricRecorder("recorder-bound", capacity: 0));
    }

    [Fact]
    public async Task WaitForAsync_RecordedLater_EndsWhenItArrives()
    {
        using Meter meter = new("recorder-wait");
        using MetricRecorder recorder = new("recorder-wait");
        var counter = meter.CreateCounter<int>("calls");
        var waiting = recorder.WaitForAsync(m => m.Value == 2, Patience);

        counter.Add(1);
        waiting.IsCompleted.ShouldBeFalse();
        counter.Add(2);

        (await waiting).Value.ShouldBe(2);
        (await recorder.WaitForAsync(m => m.Value == 1, TimeSpan.Zero)).Value.ShouldBe(1);
        await recorder.WaitUntilAsync(all => all.Count == 2, TimeSpan.Zero);
    }

    [Fact]
    public async Task WaitForAsync_NeverRecorded_ThrowsTimeoutOrCancellation()
    {
        using LogRecorder recorder = new();
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();

        await Should.ThrowAsync<TimeoutException>(() => recorder.WaitForAsync(_ => true, TimeSpan.Zero));
        await Should.ThrowAsync<OperationCanceledException>(() => recorder.WaitForAsync(_ => true, Patience, cancelled.Token));
    }

    [Fact]
    public async Task LogRecorder_EntriesFromManyThreads_AreAllKept()
    {
        using LogRecorder recorder = new();
        var logger = recorder.CreateLogger("many");

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                logger.LogInformation("entry {Number}", i);
            }
        })));

        recorder.Entries.Count.ShouldBe(800);
        recorder.Clear();
        recorder.Entries.ShouldBeEmpty();
    }

    [Fact]
    public void LogRecorder_EntryInScopes_HasEverything()
    {
        using LogRecorder recorder = new();
        using (var factory = LoggerFactory.Create(builder => builder.AddProvider(recorder).SetMinimumLevel(LogLevel.Trace)))
        {
            var logger = factory.CreateLogger("category");
            var error = new InvalidOperationException("boom");
            using (logger.BeginScope("request {RequestId}", "r-1"))
            using (logger.BeginScope("plain"))
            {
                logger.LogError(new EventId(42, "Broken"), error, "{Part} broke", "pump");
            }

            var entry = recorder.Entries.ShouldHaveSingleItem();
            entry.Category.ShouldBe("category");
            entry.Level.ShouldBe(LogLevel.Error);
            entry.EventId.Id.ShouldBe(42);
            entry.Message.ShouldBe("pump broke");
            entry.Exception.ShouldBeSameAs(error);
            entry.ValueOf("Part").ShouldBe("pump");
            entry.ValueOf("RequestId").ShouldBe("r-1");
            entry.ValueOf("absent").ShouldBeNull();
            entry.Scopes.Count.ShouldBe(2);
        }

        recorder.Entries.Count.ShouldBe(1, "a host disposes its providers before a test reads them");
    }

    [Fact]
    public async Task ActivityRecorder_OneSource_RecordsFinishedActivitiesAndTheirEvents()
    {
        using ActivitySource source = new("recorder-source");
        using ActivitySource other = new("recorder-other-source");
        using ActivityRecorder recorder = new("recorder-source");

        using (var activity = source.StartActivity("work"))
        {
            activity.ShouldNotBeNull().AddEvent(new ActivityEvent("half-way"));
            recorder.Finished.ShouldBeEmpty();
        }

        other.StartActivity("elsewhere").ShouldBeNull();
        (await recorder.WaitForAsync(a => a.OperationName == "work", Patience)).Duration.ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
        recorder.Events.ShouldHaveSingleItem().Name.ShouldBe("half-way");
    }
}
