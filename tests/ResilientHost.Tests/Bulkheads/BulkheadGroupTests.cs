using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Bulkheads;
using Instruments = ResilientHost.ResilienceDiagnostics.Instruments;

namespace ResilientHost.Tests.Bulkheads;

public sealed class BulkheadGroupTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly ServiceProvider _services;
    private readonly BulkheadGroup _group;
    private readonly List<(string Instrument, long Value)> _told = [];
    private Action? _afterInFlight;

    public BulkheadGroupTests()
    {
        _services = new ServiceCollection().AddSingleton<TimeProvider>(_time).AddLogging().AddBulkheads().BuildServiceProvider();
        _group = _services.GetRequiredService<BulkheadRegistry>().ApplyOutbound("http:pricing", new() { MaxConcurrency = 1 });
    }

    public void Dispose() => _services.Dispose();

    [Fact]
    public void Metrics_OneCollection_TellsOfOneMoment()
    {
        var member = _group.Add();
        using var listener = Listen(_ => true);
        _afterInFlight = () =>
        {
            _group.Add();
            member.TryEnter(out _, out _);
            member.TryEnter(out _, out _);
        };
        listener.RecordObservableInstruments();
        _told.ShouldBe([(Instruments.BulkheadInFlight, 0), (Instruments.BulkheadQueued, 0), (Instruments.BulkheadLimit, 1), (Instruments.BulkheadRefusals, 0), (Instruments.BulkheadRefusals, 0)]);
        _told.Clear();
        _afterInFlight = null;
        listener.RecordObservableInstruments();
        _told.ShouldBe([(Instruments.BulkheadInFlight, 1), (Instruments.BulkheadQueued, 0), (Instruments.BulkheadLimit, 2), (Instruments.BulkheadRefusals, 1), (Instruments.BulkheadRefusals, 0)]);
    }

    [Fact]
    public void Metrics_ListenersOfDifferentInstruments_HandEachOtherNothingOld()
    {
        using var first = Listen(name => name == Instruments.BulkheadInFlight);
        using var second = Listen(name => name == Instruments.BulkheadLimit);
        first.RecordObservableInstruments();
        _group.Add();
        _time.Advance(TimeSpan.FromSeconds(1));
        second.RecordObservableInstruments();
        _told.ShouldBe([(Instruments.BulkheadInFlight, 0), (Instruments.BulkheadLimit, 1)]);
    }

    [Fact]
    public void Snapshot_OfMembersThatCameAndWent_IsWhatIsThereAndAllThatWasRefused()
    {
        var (staying, going) = (_group.Add(), _group.Add());
        foreach (var member in new[] { staying, going })
        {
            member.TryEnter(out _, out _);
            member.TryEnter(out _, out _);
        }

        Read().ShouldBe((2, 2, 2));
        _group.Remove(going);
        Read().ShouldBe((1, 1, 2));
        going.TryEnter(out _, out _).ShouldBeFalse();
        Read().ShouldBe((1, 1, 2));
        _group.Add();
        Read().ShouldBe((2, 1, 2));
    }

    private (int Limit, int InFlight, long Refused) Read() => _group.Snapshot() is var snapshot ? (snapshot.Limit, snapshot.InFlight, snapshot.Refused) : default;

    private MeterListener Listen(Predicate<string> isWanted)
    {
        MeterListener listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == _services.GetRequiredService<IMeterFactory>() && isWanted(instrument.Name))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => Told(instrument.Name, value));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Told(instrument.Name, value));
        listener.Start();
        return listener;
    }

    private void Told(string instrument, long value)
    {
        _told.Add((instrument, value));
        if (instrument == Instruments.BulkheadInFlight)
        {
            _afterInFlight?.Invoke();
        }
    }
}
