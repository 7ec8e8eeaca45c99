namespace ResilientHost.Tests.Contract;

public sealed partial class CircuitBreakerContractTests
{
    private static readonly TimeSpan SlowFrom = TimeSpan.FromMilliseconds(100);

    public static TheoryData<int, double?, double?> Verdicts
    {
        get
        {
            var rows = new TheoryData<int, double?, double?>();
            double?[] ratios = [null, 0.01, 0.1, 1 / 3.0, 0.34, 0.5, 2 / 3.0, 0.7, 1.0];
            foreach (var probes in new[] { 1, 2, 3, 4 })
            {
                foreach (var failures in ratios)
                {
                    foreach (var slow in new double?[] { null, 1 / 3.0, 0.5, 1.0 })
                    {
                        if (failures is not null || slow is not null)
                        {
                            rows.Add(probes, failures, slow);
                        }
                    }
                }
            }

            return rows;
        }
    }

    /// <summary>Every row of results there can be, against the sentence: the verdict falls as soon as it can no longer change.</summary>
    [Theory]
    [MemberData(nameof(Verdicts))]
    public void Exit_Probes_VerdictFallsAsSoonAsItCanNoLongerChange(int probes, double? failureRatio, double? slowRatio)
    {
        for (var row = 0; row < 1 << (2 * probes); row++)
        {
            var breaker = Make(o =>
            {
                (o.HalfOpenProbes, o.FailureRatio, o.SlowCallRatio) = (probes, failureRatio, slowRatio ?? 1.0);
                o.SlowCallDuration = slowRatio is null ? null : SlowFrom;
            });
            breaker.ForceOpen();
            _time.Advance(5 * Second);
            var (failures, slows) = (0, 0);
            for (var probe = 0; probe < probes; probe++)
            {
                var (failed, slow) = ((row >> (2 * probe) & 1) == 1, (row >> (2 * probe) & 2) == 2);
                failures += failed ? 1 : 0;
                slows += slow ? 1 : 0;
                var left = probes - probe - 1;
                CircuitState expected;
                if (Reached(failures, failureRatio) || Reached(slows, slowRatio))
                {
                    expected = CircuitState.Open;
                }
                else if (!Reached(failures + left, failureRatio) && !Reached(slows + left, slowRatio))
                {
                    expected = CircuitState.Closed;
                }
                else
                {
                    expected = CircuitState.HalfOpen;
                }

                var transition = SlowCall(breaker, slow ? SlowFrom : TimeSpan.Zero, failed ? CallOutcome.Failed : CallOutcome.Succeeded);

                breaker.State.ShouldBe(expected, $"row {row}, probe {probe}");
                (transition?.To ?? CircuitState.HalfOpen).ShouldBe(expected);
                if (expected != CircuitState.HalfOpen)
                {
                    transition!.Cause.ShouldBe(expected == CircuitState.Open ? CircuitTransitionCause.ProbesFailed : CircuitTransitionCause.ProbesSucceeded);
                    break;
                }
            }
        }

        bool Reached(int count, double? ratio) => ratio is { } value && (decimal)count / probes >= Math.Round((decimal)value, 12) - 0.000000000001m;
    }

    [Fact]
    public void Exit_FailedProbe_ConsecutiveFailuresDoNotApply()
    {
        var breaker = MakeHalfOpen(o => (o.ConsecutiveFailures, o.FailureRatio) = (1, 1.0));

        Call(breaker, CallOutcome.Failed).ShouldBeNull();

        breaker.State.ShouldBe(CircuitState.HalfOpen);
    }

    [Fact]
    public void TryEnter_AllPlacesTaken_RefusesWithoutRetryAfter()
    {
        var breaker = MakeHalfOpen();
        for (var i = 0; i < 3; i++)
        {
            Enter(breaker).IsProbe.ShouldBeTrue();
        }

        Refuse(breaker).ShouldBe(new Refusal(RefusalReason.CircuitOpen, "db", null));
        breaker.Snapshot().Refused.ShouldBe(1);
    }

    [Fact]
    public void Exit_ProbeInFlightAtTheVerdict_IsALateResultOfAnOlderEra()
    {
        var breaker = MakeHalfOpen();
        var (a, b, c) = (Enter(breaker), Enter(breaker), Enter(breaker));
        breaker.Exit(a, CallOutcome.Succeeded).ShouldBeNull();
        breaker.Exit(b, CallOutcome.Succeeded).ShouldNotBeNull().To.ShouldBe(CircuitState.Closed);

        breaker.Exit(c, CallOutcome.Failed).ShouldBeNull();

        (breaker.State, breaker.Snapshot().Calls).ShouldBe((CircuitState.Closed, 0));
    }

    [Fact]
    public void Exit_IgnoredProbeTwice_GivesOnePlaceBack()
    {
        var breaker = MakeHalfOpen();
        var (a, _, _) = (Enter(breaker), Enter(breaker), Enter(breaker));

        breaker.Exit(a, CallOutcome.Ignored).ShouldBeNull();
        breaker.Exit(a, CallOutcome.Ignored).ShouldBeNull();

        Enter(breaker).IsProbe.ShouldBeTrue();
        Refuse(breaker);
    }

    [Fact]
    public void Exit_EndedProbeWhosePlaceIsTakenAgain_LeavesTheNewHolderAlone()
    {
        var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 1);
        var first = Enter(breaker);
        breaker.Exit(first, CallOutcome.Ignored);
        var second = Enter(breaker);

        breaker.Exit(first, CallOutcome.Failed).ShouldBeNull();
        Refuse(breaker);

        breaker.Exit(second, CallOutcome.Succeeded).ShouldNotBeNull().To.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Snapshot_HalfOpen_CountsTheProbesOfThisEra()
    {
        var breaker = MakeHalfOpen(o => (o.HalfOpenProbes, o.SlowCallDuration) = (10, SlowFrom));
        Call(breaker, CallOutcome.Failed);
        SlowCall(breaker, SlowFrom, CallOutcome.Succeeded);
        Call(breaker, CallOutcome.Ignored);
        Enter(breaker);

        var snapshot = breaker.Snapshot();
        (snapshot.Calls, snapshot.Failures, snapshot.SlowCalls).ShouldBe((2, 1, 1));
    }

    [Fact]
    public void State_OldestProbeReturns_HalfOpenMaxDurationRunsFromTheNextOldest()
    {
        var breaker = MakeHalfOpen();
        var a = Enter(breaker);
        _time.Advance(6 * Second);
        Enter(breaker);
        _time.Advance(3 * Second);
        breaker.Exit(a, CallOutcome.Ignored);

        _time.Advance((7 * Second) - Tick);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        _time.Advance(Tick);
        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void State_NoProbeInFlight_HalfOpenMaxDurationDoesNotRun()
    {
        var breaker = MakeHalfOpen();
        Call(breaker, CallOutcome.Succeeded);
        _time.Advance(TimeSpan.FromDays(10));
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        Enter(breaker);
        _time.Advance((10 * Second) - Tick);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        _time.Advance(Tick);

        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public async Task State_ReadLongAfterALostProbe_PublishesEveryStepWithItsDueTime()
    {
        var breaker = MakeHalfOpen();
        var events = Listen(breaker);
        var probe = Enter(breaker);
        var start = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromHours(1));

        breaker.State.ShouldBe(CircuitState.HalfOpen);
        breaker.Exit(probe, CallOutcome.Failed).ShouldBeNull();
        breaker.State.ShouldBe(CircuitState.HalfOpen);

        (await EventsSoFar(breaker, events)).ShouldBe(
        [
            new CircuitTransition("db", CircuitState.HalfOpen, CircuitState.Open, CircuitTransitionCause.ProbesTimedOut, 4, start + (10 * Second)),
            new CircuitTransition("db", CircuitState.Open, CircuitState.HalfOpen, CircuitTransitionCause.BreakElapsed, 5, start + (20 * Second)),
        ]);
    }

    [Fact]
    public void Close_ByProbes_StartsWithAnEmptyWindowAndTheFirstBackoff()
    {
        var breaker = MakeHalfOpen();
        Call(breaker, CallOutcome.Failed);
        Call(breaker, CallOutcome.Failed);
        breaker.Snapshot().RetryAfter.ShouldBe(10 * Second);
        _time.Advance(10 * Second);
        Call(breaker, CallOutcome.Succeeded);
        Call(breaker, CallOutcome.Succeeded).ShouldNotBeNull().To.ShouldBe(CircuitState.Closed);

        breaker.Snapshot().Calls.ShouldBe(0);
        Trip(breaker);
        breaker.Snapshot().RetryAfter.ShouldBe(5 * Second);
    }

    [Fact]
    public void TryEnter_HalfOpenFromManyThreads_AdmitsExactlyTheProbes()
    {
        for (var round = 0; round < 100; round++)
        {
            var breaker = MakeOpen();
            _time.Advance(5 * Second);
            var admitted = 0;

            OnThreads(8, _ =>
            {
                if (breaker.TryEnter(out var permit, out Refusal _))
                {
                    permit.IsProbe.ShouldBeTrue();
                    Interlocked.Increment(ref admitted);
                }
            });

            admitted.ShouldBe(3);
            breaker.Snapshot().Refused.ShouldBe(5);
        }
    }

    [Fact]
    public void Exit_SameProbeFromManyThreads_CountsOnce()
    {
        for (var round = 0; round < 100; round++)
        {
            var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 5);
            var probe = Enter(breaker);

            OnThreads(8, i => breaker.Exit(probe, i % 2 == 0 ? CallOutcome.Failed : CallOutcome.Succeeded).ShouldBeNull());

            breaker.Snapshot().Calls.ShouldBe(1);
        }
    }
}
