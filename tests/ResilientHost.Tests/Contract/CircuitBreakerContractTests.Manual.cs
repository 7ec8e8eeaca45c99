namespace ResilientHost.Tests.Contract;

public sealed partial class CircuitBreakerContractTests
{
    private CircuitBreaker MakeIn(CircuitState state, Action<CircuitBreakerOptions>? change = null, TimeProvider? clock = null)
    {
        if (state == CircuitState.HalfOpen)
        {
            return MakeHalfOpen(change, clock);
        }

        var breaker = Make(change, clock);
        if (state == CircuitState.Open)
        {
            Trip(breaker);
        }
        else if (state == CircuitState.Isolated)
        {
            breaker.Isolate();
        }

        return breaker;
    }

    [Theory]
    [InlineData(CircuitState.Closed)]
    [InlineData(CircuitState.Open)]
    [InlineData(CircuitState.HalfOpen)]
    public async Task Isolate_FromEveryState_IsOneManualEventAndHoldsForever(CircuitState from)
    {
        var breaker = MakeIn(from);
        var events = Listen(breaker);
        var permit = from == CircuitState.Open ? default : Enter(breaker);
        var era = breaker.Snapshot().Era;

        breaker.Isolate();
        breaker.Isolate();
        _time.Advance(TimeSpan.FromDays(1000));
        breaker.Exit(permit, CallOutcome.Succeeded).ShouldBeNull();

        breaker.State.ShouldBe(CircuitState.Isolated);
        Refuse(breaker).ShouldBe(new Refusal(RefusalReason.CircuitOpen, "db", null));
        var first = await events.ReadAsync(Token);
        (first.From, first.To, first.Cause, first.Era).ShouldBe((from, CircuitState.Isolated, CircuitTransitionCause.Manual, era + 1));
        breaker.Reset();
        var second = await events.ReadAsync(Token);
        (second.From, second.To, second.Cause, second.Era).ShouldBe((CircuitState.Isolated, CircuitState.Closed, CircuitTransitionCause.Manual, era + 2));
    }

    [Theory]
    [InlineData(CircuitState.Closed)]
    [InlineData(CircuitState.HalfOpen)]
    public async Task ForceOpen_Duration_HoldsThatLongThenHalfOpens(CircuitState from)
    {
        var breaker = MakeIn(from);
        var events = Listen(breaker);
        breaker.ForceOpen(TimeSpan.FromHours(1));

        breaker.Snapshot().RetryAfter.ShouldBe(TimeSpan.FromHours(1));
        _time.Advance(TimeSpan.FromHours(1) - Tick);
        breaker.State.ShouldBe(CircuitState.Open);
        _time.Advance(Tick);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        (await EventsSoFar(breaker, events)).Select(e => (e.From, e.To, e.Cause)).ShouldBe(
        [
            (from, CircuitState.Open, CircuitTransitionCause.Manual),
            (CircuitState.Open, CircuitState.HalfOpen, CircuitTransitionCause.BreakElapsed),
        ]);
    }

    [Fact]
    public void ForceOpen_ForeverAlmost_DoesNotOverflow()
    {
        foreach (var frequency in new[] { 1L, 1_000L, TimeSpan.TicksPerSecond, 1_000_000_000L })
        {
            var breaker = Make(clock: new OtherClock(_time, frequency));
            breaker.ForceOpen(TimeSpan.MaxValue);
            _time.Advance(TimeSpan.FromDays(1000));

            breaker.State.ShouldBe(CircuitState.Open);
            Refuse(breaker).RetryAfter.ShouldNotBeNull().ShouldBeGreaterThan(TimeSpan.FromDays(1000));
        }
    }

    [Fact]
    public void ForceOpen_Isolated_ChangesNothing()
    {
        var breaker = MakeIn(CircuitState.Isolated);
        var before = breaker.Snapshot();

        breaker.ForceOpen();
        breaker.ForceOpen(Second);
        _time.Advance(2 * Second);

        breaker.Snapshot().ShouldBe(before);
    }

    [Fact]
    public async Task Reset_Closed_PublishesNothing()
    {
        var breaker = Make();
        var events = Listen(breaker);

        breaker.Reset();

        (await EventsSoFar(breaker, events)).ShouldBeEmpty();
    }

    [Fact]
    public void Reset_Open_ClearsTheBackoffAndTheBreak()
    {
        var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 1);
        Call(breaker, CallOutcome.Failed);
        breaker.Snapshot().RetryAfter.ShouldBe(10 * Second);

        breaker.Reset();

        Enter(breaker).IsProbe.ShouldBeFalse();
        Trip(breaker);
        breaker.Snapshot().RetryAfter.ShouldBe(5 * Second);
    }

    [Fact]
    public void Reset_HalfOpenWithProbesInFlight_LateResultsDoNotCount()
    {
        var breaker = MakeHalfOpen();
        var (a, b) = (Enter(breaker), Enter(breaker));
        breaker.Reset();

        breaker.Exit(a, CallOutcome.Failed).ShouldBeNull();
        breaker.Exit(b, CallOutcome.Failed).ShouldBeNull();

        (breaker.State, breaker.Snapshot().Calls).ShouldBe((CircuitState.Closed, 0));
        _time.Advance(TimeSpan.FromMinutes(1));
        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Isolate_BreakElapsedUnobserved_PublishesTheHalfOpenFirst()
    {
        var breaker = MakeOpen();
        _time.Advance(6 * Second);
        breaker.Isolate();

        breaker.Snapshot().Era.ShouldBe(4);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Reset_WhileACallTrips_LeavesTheCircuitClosed(int windowSize)
    {
        // Either order of the two ends closed: reset first, the window holds one failure of two; reset last, it closes what had opened.
        const int rounds = 10_000;
        var breakers = Enumerable.Range(0, rounds).Select(_ => Make(o => (o.MinimumThroughput, o.FailureRatio, o.WindowSize) = (2, 1.0, windowSize))).ToArray();
        foreach (var breaker in breakers)
        {
            Call(breaker, CallOutcome.Failed);
        }

        var permits = breakers.Select(Enter).ToArray();
        var turn = 0;
        OnThreads(2, thread =>
        {
            for (var i = 0; i < rounds; i++)
            {
                Interlocked.Increment(ref turn);
                while (Volatile.Read(ref turn) < 2 * (i + 1))
                {
                    Thread.SpinWait(1);
                }

                if (thread == 0)
                {
                    breakers[i].Exit(permits[i], CallOutcome.Failed);
                }
                else
                {
                    Thread.SpinWait(i % 8);
                    breakers[i].Reset();
                }
            }
        });

        breakers.Count(breaker => breaker.State != CircuitState.Closed).ShouldBe(0);
    }

    [Fact]
    public async Task IsolateAndReset_FromManyThreads_EventsFollowEachOther()
    {
        var breaker = Make();
        var events = Listen(breaker);
        OnThreads(8, i =>
        {
            // Fewer changes than wait for a listener at most.
            for (var n = 0; n < 100; n++)
            {
                switch ((i + n) % 4)
                {
                    case 0: breaker.Reset(); break;
                    case 1: breaker.ForceOpen(); break;
                    case 2: breaker.Isolate(); break;
                    default: _ = breaker.Snapshot(); break;
                }
            }
        });
        breaker.Reset();

        var seen = await EventsSoFarWithIsolations(breaker, events);

        var (state, era) = (CircuitState.Closed, 1L);
        foreach (var transition in seen)
        {
            transition.From.ShouldBe(state);
            transition.To.ShouldNotBe(state);
            transition.Era.ShouldBe(++era);
            state = transition.To;
        }
    }

    private static async Task<List<CircuitTransition>> EventsSoFarWithIsolations(CircuitBreaker breaker, System.Threading.Channels.ChannelReader<CircuitTransition> events)
    {
        breaker.ForceOpen();
        var last = breaker.Snapshot().Era;
        List<CircuitTransition> seen = [];
        while (seen.Count == 0 || seen[^1].Era < last)
        {
            seen.Add(await events.ReadAsync(Token));
        }

        return seen;
    }
}
