using ResilientHost.Telemetry;

namespace ResilientHost.Tests.Telemetry;

public sealed class LogStormTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly List<long> _summaries = [];
    private readonly LogStorm _storm;

    public LogStormTests() => _storm = new LogStorm(_time, _summaries.Add);

    [Fact]
    public void Admit_FirstOfAStorm_IsLoggedAndTheOthersAreSummedUp()
    {
        _storm.Admit().ShouldBeTrue();
        _storm.Admit().ShouldBeFalse();
        _storm.Admit().ShouldBeFalse();
        _summaries.ShouldBeEmpty();

        _time.Advance(LogStorm.Interval);

        _summaries.ShouldBe([2]);
    }

    [Fact]
    public void Admit_StormGoesOn_IsSummedUpOncePerInterval()
    {
        _storm.Admit();
        _storm.Admit();
        _time.Advance(LogStorm.Interval);
        _storm.Admit().ShouldBeFalse();
        _time.Advance(LogStorm.Interval);

        _summaries.ShouldBe([1, 1]);
    }

    [Fact]
    public void Admit_AfterAQuietInterval_IsLoggedAgain()
    {
        _storm.Admit();
        _time.Advance(LogStorm.Interval);

        _storm.Admit().ShouldBeTrue();
        _summaries.ShouldBeEmpty();
    }

    [Fact]
    public void Admit_WhereExecutionContextDoesNotFlow_IsLogged()
    {
        using (ExecutionContext.SuppressFlow())
        {
            _storm.Admit().ShouldBeTrue();
        }
    }

    [Fact]
    public void Summary_Throws_TheNextOneIsToldAllTheSame()
    {
        var calls = 0;
        using var storm = new LogStorm(_time, _ =>
        {
            calls++;
            throw new InvalidOperationException();
        });
        storm.Admit();
        storm.Admit();
        _time.Advance(LogStorm.Interval);
        storm.Admit();
        _time.Advance(LogStorm.Interval);

        calls.ShouldBe(2);
    }

    [Fact]
    public void Dispose_DuringAStorm_SumsUpWhatIsOnlyCounted()
    {
        _storm.Admit();
        _storm.Admit();

        _storm.Dispose();
        _storm.Dispose();

        _summaries.ShouldBe([1]);
    }

    [Fact]
    public void Dispose_DuringAStorm_LeavesNoTimer()
    {
        _storm.Admit();
        _storm.Dispose();

        _time.ArmedTimers.ShouldBe(0);
        _storm.Admit().ShouldBeFalse();
    }

    public void Dispose() => _storm.Dispose();
}
