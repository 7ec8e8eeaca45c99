using ResilientHost.Fallbacks;
using ResilientHost.Hosting;
using ResilientHost.Tests.Timeouts;
using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Fallbacks;

public sealed class FallbackTimeoutsTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly MonotonicClock _clock;
    private readonly FallbackTimeouts _timeouts;
    private readonly TimedRequest _request = new();

    public FallbackTimeoutsTests()
    {
        _clock = new MonotonicClock(_time);
        _timeouts = new(_clock);
    }

    public void Dispose() => _timeouts.Dispose();

    [Fact]
    public void Rent_AfterOneThatEndedInTime_GivesTheSame()
    {
        var first = Run(static _ => { });

        Run(static _ => { }).ShouldBeSameAs(first);
    }

    [Fact]
    public void Rent_AfterOneThatFired_GivesAnotherThatHasNot()
    {
        var fired = Run(_ => _time.Advance(TimedRequest.Time));
        fired.HasFired.ShouldBeTrue();

        Run(static timeout => timeout.HasFired.ShouldBeFalse()).ShouldNotBeSameAs(fired);
    }

    [Fact]
    public void Rent_WhileOneIsOut_GivesAnother()
    {
        using var outer = _timeouts.Rent();

        Run(static _ => { }).ShouldNotBeSameAs(outer.Timeout);
    }

    [Fact]
    public void Lease_GivenBackWithARequestInside_IsNotUsedAgain()
    {
        RequestTimeout left;
        using (var lease = _timeouts.Rent())
        {
            left = lease.Timeout;
            _request.Begin(left, _clock);
        }

        using var next = _timeouts.Rent();

        next.Timeout.ShouldNotBeSameAs(left);
        left.End();
    }

    [Fact]
    public void Dispose_WithTimersArmed_StopsThoseThatWaitAndThoseThatComeBack()
    {
        var late = _timeouts.Rent();
        _request.Begin(late.Timeout, _clock);
        late.Timeout.End();
        Run(static _ => { });
        _time.ArmedTimers.ShouldBe(2);

        _timeouts.Dispose();
        late.Dispose();

        _time.ArmedTimers.ShouldBe(0);
    }

    private RequestTimeout Run(Action<RequestTimeout> meanwhile)
    {
        using var lease = _timeouts.Rent();
        _request.Begin(lease.Timeout, _clock);
        meanwhile(lease.Timeout);
        lease.Timeout.End();
        return lease.Timeout;
    }
}
