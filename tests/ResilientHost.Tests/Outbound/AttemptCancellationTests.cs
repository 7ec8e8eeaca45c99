using ResilientHost.Hosting;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

/// <summary>The source whose timer stays armed from one attempt to the next.</summary>
public sealed class AttemptCancellationTests : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly MonotonicClock _clock;
    private readonly AttemptCancellation _source;

    public AttemptCancellationTests()
    {
        _clock = new(_time);
        _source = new(_clock);
    }

    public void Dispose() => _source.Dispose();

    [Fact]
    public void Deadline_Comes_CancelsThenAndNotBefore()
    {
        Arm(10);

        ShouldBeCancelledAfter(10);
        _source.TryEnd().ShouldBeFalse();
    }

    [Fact]
    public void Sources_MoreThanAreKept_AreDisposedWithTheirTimers()
    {
        var disposed = 0;
        var clock = new MonotonicClock(TimeProvider.System);
        var sources = new AttemptCancellations(clock);

        // On a thread of its own, for each keeps one for whoever comes next.
        var thread = new Thread(() =>
        {
            var rented = Enumerable.Range(0, 300).Select(_ => sources.Rent()).ToList();
            foreach (var source in rented)
            {
                var now = clock.Timestamp();
                sources.Arm(source, now + clock.ToTimestampTicks(TimeSpan.FromMinutes(1)), now);
                sources.Return(source, isForgotten: true);
            }

            disposed = rented.Count(IsDisposed);
            rented.ForEach(static source => source.Dispose());
        });
        thread.Start();
        thread.Join();

        // 256 are in the pool, one is the thread's.
        disposed.ShouldBe(43);

        static bool IsDisposed(CancellationTokenSource source)
        {
            try
            {
                return source.Token.IsCancellationRequested;
            }
            catch (ObjectDisposedException)
            {
                return true;
            }
        }
    }

    [Fact]
    public void Deadline_OfAnAttemptThatHasEnded_DoesNotCancelTheNext()
    {
        Arm(10);
        _time.Advance(TimeSpan.FromSeconds(6));
        _source.TryEnd().ShouldBeTrue();
        Arm(10);

        ShouldBeCancelledAfter(10);
    }

    [Fact]
    public void Deadline_EarlierThanTheOneBefore_ComesInTime()
    {
        Arm(10);
        _source.TryEnd().ShouldBeTrue();
        Arm(1);

        ShouldBeCancelledAfter(1);
    }

    [Fact]
    public void Timer_ComesWhileNobodyUsesIt_RestsAndIsArmedByTheNext()
    {
        Arm(10);
        _source.TryEnd().ShouldBeTrue();
        _time.Advance(TimeSpan.FromHours(1));
        _time.ArmedTimers.ShouldBe(0);
        _source.IsCancellationRequested.ShouldBeFalse();

        Arm(10);
        _time.ArmedTimers.ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(10));

        _source.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void Deadline_PutOff_HoldsInPlaceOfTheOneBefore()
    {
        Arm(1);
        Arm(10);

        ShouldBeCancelledAfter(10);
    }

    [Fact]
    public void Deadline_AfterOneThatWasOver_LeavesItOver()
    {
        Arm(1);
        _time.Advance(TimeSpan.FromSeconds(1));

        Arm(10);

        _source.IsCancellationRequested.ShouldBeTrue();
        _source.TryEnd().ShouldBeFalse();
    }

    [Fact]
    public void Deadline_OverAlready_Cancels()
    {
        Arm(0);
        _time.Advance(Tick);

        _source.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void NoDeadline_ArmsNothing()
    {
        _source.Arm(long.MaxValue);

        _time.ArmedTimers.ShouldBe(0);
        _source.TryEnd().ShouldBeTrue();
    }

    [Fact]
    public void Deadline_FartherThanTimersReach_ComesInTime()
    {
        Arm(60 * 24 * 3600);

        _time.Advance(TimeSpan.FromDays(60) - Tick);
        _source.IsCancellationRequested.ShouldBeFalse();
        _time.Advance(Tick);

        _source.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void Source_CancelledByItsCaller_ServesNobodyElse()
    {
        Arm(10);
        _source.Cancel();

        _source.TryEnd().ShouldBeFalse();
    }

    [Fact]
    public void Source_Disposed_HasNoTimerAndCancelsNobody()
    {
        Arm(10);
        var token = _source.Token;
        _source.Dispose();

        _time.ArmedTimers.ShouldBe(0);
        _time.Advance(TimeSpan.FromHours(1));
        token.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public void Callback_ThatThrows_IsNotTheTimersAffair()
    {
        using var registration = _source.Token.Register(static () => throw new InvalidOperationException());
        Arm(1);

        Should.NotThrow(() => _time.Advance(TimeSpan.FromSeconds(1)));

        _source.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task EndsAndDeadlines_AtTheSameMoment_NeverCancelWhatWasGivenBack()
    {
        const int Rounds = 3_000;
        var rounds = Enumerable.Range(0, Rounds).Select(static _ => new ManualTimeProvider()).Select(static time => (Time: time, Clock: new MonotonicClock(time))).ToArray();
        using var barrier = new Barrier(2);
        var advancing = Task.Run(
            () =>
            {
                foreach (var (time, _) in rounds)
                {
                    barrier.SignalAndWait();
                    time.Advance(Tick);
                    barrier.SignalAndWait();
                }
            },
            TestContext.Current.CancellationToken);
        var wrong = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var (time, clock) = rounds[round];
            using var source = new AttemptCancellation(clock);
            source.Arm(clock.Timestamp() + clock.ToTimestampTicks(Tick));
            barrier.SignalAndWait();
            Thread.SpinWait(round % 60);
            var mayServe = source.TryEnd();
            if (mayServe)
            {
                source.Arm(clock.Timestamp() + clock.ToTimestampTicks(TimeSpan.FromHours(1)));
            }

            barrier.SignalAndWait();
            wrong += source.IsCancellationRequested == mayServe ? 1 : 0;

            // Whatever the timer was about when the next deadline was set, it comes for that one.
            time.Advance(TimeSpan.FromHours(1));
            wrong += source.IsCancellationRequested ? 0 : 1;
        }

        await advancing;
        wrong.ShouldBe(0);
    }

    private void ShouldBeCancelledAfter(int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds) - Tick);
        _source.IsCancellationRequested.ShouldBeFalse();
        _time.Advance(Tick);

        _source.IsCancellationRequested.ShouldBeTrue();
    }

    private void Arm(int seconds) => _source.Arm(_clock.Timestamp() + _clock.ToTimestampTicks(TimeSpan.FromSeconds(seconds)));
}
