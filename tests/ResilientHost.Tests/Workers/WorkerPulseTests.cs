using ResilientHost.Hosting;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed class WorkerPulseTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly WorkerPulse _pulse;

    public WorkerPulseTests()
    {
        _pulse = new WorkerPulse(new MonotonicClock(_time));
        _pulse.LastBeat.ShouldBeNull();
        Silence().ShouldBeNull();
        _pulse.BeginRun(1);
    }

    [Fact]
    public void Silence_WithoutWorkOrIdleness_CountsFromTheLastSign()
    {
        Pass(3);
        SilentSeconds().ShouldBe(3);
        _pulse.Beat(1, "loading");
        Pass(2);
        Silence().ShouldBe(new WorkerSilence(1, TimeSpan.FromSeconds(2), "loading"));
        _pulse.Beat(1);
        SilentSeconds().ShouldBe(0);
        _pulse.Activity.ShouldBe("loading");
    }

    [Fact]
    public void Silence_AfterWork_CountsFromItsEnd()
    {
        var work = _pulse.BeginWork(1, "poll");
        Pass(3);
        _pulse.EndWork(1, work);
        Pass(4);
        SilentSeconds().ShouldBe(4);
    }

    [Fact]
    public void Silence_WhileIdle_MeansNothingAndCountsFromItsEnd()
    {
        _pulse.BeginIdle(1);
        _pulse.BeginIdle(1);
        Pass(100);
        Silence().ShouldBeNull();
        _pulse.EndIdle(1);
        Silence().ShouldBeNull();
        _pulse.EndIdle(1);
        SilentSeconds().ShouldBe(0);
        Pass(1);
        SilentSeconds().ShouldBe(1);
    }

    [Fact]
    public void Silence_OfOnePieceThatHangs_IsNotDrownedOutByTheOthers()
    {
        var hangs = _pulse.BeginWork(1, "hangs");
        for (var i = 0; i < 10; i++)
        {
            Pass(1);
            var other = _pulse.BeginWork(1, "runs");
            _pulse.BeginIdle(1);
            _pulse.EndIdle(1);
            _pulse.EndWork(1, other);
        }

        Silence().ShouldBe(new WorkerSilence(1, TimeSpan.FromSeconds(10), "hangs"));
        _pulse.Beat(1);
        SilentSeconds().ShouldBe(0);
        Pass(1);
        _pulse.EndWork(1, hangs);
        SilentSeconds().ShouldBe(0);
        _pulse.IsWorking.ShouldBeFalse();
    }

    [Fact]
    public void Silence_OfManyPieces_IsThatOfTheOldestStillUnderWay()
    {
        var random = new Random(5);
        var underWay = new List<(int Work, long Start)>();
        for (var i = 0; i < 5_000; i++)
        {
            Pass(1);
            if (underWay.Count == 0 || random.Next(100) < 52)
            {
                underWay.Add((_pulse.BeginWork(1, "item"), _time.GetTimestamp()));
            }
            else
            {
                var index = random.Next(underWay.Count);
                _pulse.EndWork(1, underWay[index].Work);
                underWay.RemoveAt(index);
            }

            _pulse.IsWorking.ShouldBe(underWay.Count > 0);
            if (underWay.Count > 0)
            {
                Silence()!.For.Ticks.ShouldBe(_time.GetTimestamp() - underWay.Min(work => work.Start));
            }
        }
    }

    [Fact]
    public void Run_ThatFollows_BeginsAnewAndDoesNotHearTheOldOne()
    {
        var work = _pulse.BeginWork(1, "old");
        _pulse.BeginIdle(1);
        _pulse.EndRun(1);
        Silence().ShouldBeNull();
        Pass(60);

        _pulse.BeginRun(2);
        SilentSeconds().ShouldBe(0);
        Pass(5);
        _pulse.EndWork(1, work);
        _pulse.EndIdle(1);
        _pulse.Beat(1, "ghost");
        _pulse.BeginIdle(1);
        _pulse.BeginWork(1, "ghost").ShouldBe(-1);
        _pulse.EndRun(1);

        Silence().ShouldBe(new WorkerSilence(2, TimeSpan.FromSeconds(5), Activity: null));
        _pulse.IsWorking.ShouldBeFalse();
    }

    [Fact]
    public void BeginWork_OfRunsThatAreOver_DoesNotDisturbWhatThePresentOneHas()
    {
        var old = _pulse.BeginWork(1, "old");
        _pulse.BeginRun(2);
        var now = _pulse.BeginWork(2, "now");
        now.ShouldBe(old, "the same place, so that the run must tell them apart");
        _pulse.EndWork(1, old);

        Pass(1);
        Silence()!.Activity.ShouldBe("now");
    }

    [Fact]
    public void Work_OneAtATime_AllocatesNothing()
    {
        AllocatedBytes.Of(() =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                _pulse.EndWork(1, _pulse.BeginWork(1, "poll"));
                _pulse.Beat(1, "poll");
            }
        }).ShouldBe(0);
    }

    private void Pass(double seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));

    private WorkerSilence? Silence() => _pulse.Silence(_time.GetTimestamp());

    private double SilentSeconds() => Silence()!.For.TotalSeconds;
}
