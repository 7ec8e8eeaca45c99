using System.Collections.Concurrent;

using ResilientHost.CircuitBreaking;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed class CircuitBreakerStressTests
{
    private const int Threads = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void RandomWalk_SeededOperations_KeepTheInvariants()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            Walk(seed);
        }
    }

    [Fact]
    public void HalfOpen_ManyThreads_AdmitsExactlyTheProbesAndOneVerdict()
    {
        var time = new ManualTimeProvider();
        var breaker = new CircuitBreaker("stress", new CircuitBreakerOptions { BreakJitter = 0, HalfOpenProbes = 3, FailureRatio = 1 }, time);
        var events = Record(breaker);
        var rounds = new Rounds(Threads);
        for (var round = 0; round < 1_000; round++)
        {
            breaker.ForceOpen();
            time.Advance(TimeSpan.FromSeconds(5));
            var probes = new ConcurrentBag<CircuitPermit>();
            rounds.Run(() =>
            {
                if (breaker.TryEnter(out var permit, out _))
                {
                    probes.Add(permit);
                }
            });
            probes.Count.ShouldBe(3);
            probes.ShouldAllBe(permit => permit.IsProbe);

            // Everybody ends every probe: each counts once, and the verdict falls once.
            var changes = new ConcurrentBag<CircuitTransition>();
            rounds.Run(() =>
            {
                foreach (var permit in probes)
                {
                    if (breaker.Exit(permit, CallOutcome.Failed) is { } change)
                    {
                        changes.Add(change);
                    }
                }
            });
            changes.Single().Cause.ShouldBe(CircuitTransitionCause.ProbesFailed);
            breaker.Reset();

            // open, half-open, re-opened, closed
            for (var i = 0; i < 4; i++)
            {
                Next(events).Era.ShouldBe((round * 4) + i + 2);
            }
        }

        rounds.Stop();
        events.Count.ShouldBe(0);
    }

    [Fact]
    public void HalfOpen_IgnoredProbesOnManyThreads_GiveEveryPlaceBack()
    {
        var time = new ManualTimeProvider();
        var breaker = new CircuitBreaker("stress", new CircuitBreakerOptions { HalfOpenProbes = 4 }, time);
        breaker.ForceOpen();
        time.Advance(TimeSpan.FromSeconds(5));
        var rounds = new Rounds(Threads);
        var inFlight = 0;
        var most = 0;
        rounds.Run(() =>
        {
            for (var i = 0; i < 5_000; i++)
            {
                if (breaker.TryEnter(out var permit, out _))
                {
                    InterlockedMax(ref most, Interlocked.Increment(ref inFlight));
                    Interlocked.Decrement(ref inFlight);
                    breaker.Exit(permit, CallOutcome.Ignored);
                }
            }
        });
        rounds.Stop();
        most.ShouldBeInRange(1, 4);
        var admitted = Enumerable.Range(0, 10).Count(_ => breaker.TryEnter(out var permit, out var refusal));
        admitted.ShouldBe(4);
    }

    [Fact]
    public void Closed_FailuresAndSuccessesEndTogether_NoTripIsMissed()
    {
        // Whoever comes last completes the throughput: with half of the calls failed the circuit must be open afterwards.
        var rounds = new Rounds(Threads);
        for (var round = 0; round < 2_000; round++)
        {
            var breaker = new CircuitBreaker("stress", new CircuitBreakerOptions { MinimumThroughput = Threads }, new ManualTimeProvider());
            var changes = 0;
            var worker = 0;
            rounds.Run(() =>
            {
                breaker.TryEnter(out var permit, out _);
                var outcome = Interlocked.Increment(ref worker) % 2 == 0 ? CallOutcome.Failed : CallOutcome.Succeeded;
                if (breaker.Exit(permit, outcome) is not null)
                {
                    Interlocked.Increment(ref changes);
                }
            });
            (breaker.State, changes).ShouldBe((CircuitState.Open, 1));
        }

        rounds.Stop();
    }

    [Fact]
    public void Closed_AsManyCallersAsNeededFailTogether_NoTripIsMissed()
    {
        var rounds = new Rounds(Threads);
        for (var round = 0; round < 2_000; round++)
        {
            var breaker = new CircuitBreaker(
                "stress",
                round % 2 == 0
                    ? new CircuitBreakerOptions { MinimumThroughput = Threads, MinimumDistinctCallers = Threads }
                    : new CircuitBreakerOptions { FailureRatio = null, ConsecutiveFailures = Threads, MinimumDistinctCallers = Threads },
                new ManualTimeProvider());
            var changes = 0;
            var worker = 0;
            rounds.Run(() =>
            {
                breaker.TryEnter(out var permit, out _);
                if (breaker.Exit(permit, CallOutcome.Failed, "caller" + Interlocked.Increment(ref worker)) is not null)
                {
                    Interlocked.Increment(ref changes);
                }
            });
            (breaker.State, changes).ShouldBe((CircuitState.Open, 1));
        }

        rounds.Stop();
    }

    [Fact]
    public void EverythingAtOnce_ManyThreads_EventsFollowEachOtherWithoutGap()
    {
        var time = new ManualTimeProvider();
        var breaker = new CircuitBreaker("stress", new CircuitBreakerOptions
        {
            MinimumThroughput = 5,
            BreakDuration = TimeSpan.FromMilliseconds(5),
            SlowCallDuration = TimeSpan.FromMilliseconds(20),
            HalfOpenMaxDuration = TimeSpan.FromMilliseconds(30),
        }, time);
        var events = Record(breaker);
        var rounds = new Rounds(Threads);
        var seen = new List<CircuitTransition>();
        for (var round = 0; round < 100; round++)
        {
            var seeds = round * Threads;
            rounds.Run(() =>
            {
                var random = new Random(Interlocked.Increment(ref seeds));
                for (var i = 0; i < 40; i++)
                {
                    Step(breaker, time, random);
                }
            });
            var era = breaker.Snapshot().Era;
            while (seen.Count < era - 1)
            {
                seen.Add(Next(events));
            }
        }

        rounds.Stop();
        events.Count.ShouldBe(0);
        breaker.DroppedTransitions.ShouldBe(0);
        for (var i = 0; i < seen.Count; i++)
        {
            seen[i].Era.ShouldBe(i + 2);
            seen[i].From.ShouldBe(i == 0 ? CircuitState.Closed : seen[i - 1].To);
        }
    }

    private static void Step(CircuitBreaker breaker, ManualTimeProvider time, Random random)
    {
        switch (random.Next(40))
        {
            case 0:
                breaker.Isolate();
                break;
            case 1:
                breaker.ForceOpen();
                break;
            case 2 or 3 or 4:
                breaker.Reset();
                break;
            case 5:
                breaker.Apply(new CircuitBreakerOptions { MinimumThroughput = 5, HalfOpenProbes = random.Next(1, 5), WindowSize = random.Next(2) * 10 });
                break;
            case < 15:
                time.Advance(TimeSpan.FromMilliseconds(random.Next(8)));
                break;
            default:
                if (breaker.TryEnter(out var permit, out _))
                {
                    breaker.Exit(permit, (CallOutcome)random.Next(3));
                }

                break;
        }
    }

    private static void Walk(int seed)
    {
        var random = new Random(seed);
        var time = new ManualTimeProvider();
        var modes = new[] { CircuitMode.Enforce, CircuitMode.Enforce, CircuitMode.Shadow, CircuitMode.Disabled, CircuitMode.ForcedOpen };
        var breaker = new CircuitBreaker("walk", new CircuitBreakerOptions(), new CircuitServices(time, new Random(seed)));
        var held = new List<CircuitPermit>();
        var options = new CircuitBreakerOptions();
        var era = 1L;
        for (var step = 0; step < 600; step++)
        {
            var before = breaker.Snapshot();
            switch (random.Next(30))
            {
                case 0:
                    options = new CircuitBreakerOptions
                    {
                        Mode = modes[random.Next(modes.Length)],
                        MinimumThroughput = random.Next(1, 10),
                        HalfOpenProbes = random.Next(1, 6),
                        WindowSize = random.Next(3) == 0 ? 10 : 0,
                        ConsecutiveFailures = random.Next(5),
                        FailureRatio = random.Next(3) == 0 ? null : random.NextDouble() + 0.001 is var r and <= 1 ? r : 1,
                        BreakJitter = random.NextDouble() * 0.99,
                    };
                    breaker.Apply(options);
                    breaker.Apply(options);
                    break;
                case 1:
                    breaker.Isolate();
                    breaker.State.ShouldBe(CircuitState.Isolated);
                    break;
                case 2 or 3:
                    breaker.Reset();
                    breaker.State.ShouldBe(options.Mode == CircuitMode.ForcedOpen ? CircuitState.Open : CircuitState.Closed);
                    break;
                case 4:
                    breaker.ForceOpen();
                    break;
                case < 10:
                    time.Advance(TimeSpan.FromMilliseconds(random.Next(4000)));
                    break;
                case < 20:
                    var admitted = breaker.TryEnter(out var permit, out var refusal);
                    (admitted || refusal.Reason == RefusalReason.CircuitOpen).ShouldBeTrue();
                    (refusal.RetryAfter ?? TimeSpan.Zero).ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
                    if (options.Mode is CircuitMode.Shadow or CircuitMode.Disabled)
                    {
                        admitted.ShouldBeTrue();
                    }

                    if (admitted)
                    {
                        held.Add(permit);
                    }

                    break;
                default:
                    if (held.Count > 0)
                    {
                        var index = random.Next(held.Count);
                        var change = breaker.Exit(held[index], (CallOutcome)random.Next(3));
                        if (held[index].Era != before.Era)
                        {
                            change.ShouldBeNull();
                        }

                        held.RemoveAt(index);
                    }

                    break;
            }

            var after = breaker.Snapshot();
            after.Era.ShouldBeGreaterThanOrEqualTo(era);
            era = after.Era;
            after.Failures.ShouldBeLessThanOrEqualTo(after.Calls);
            after.Refused.ShouldBeGreaterThanOrEqualTo(before.Refused);
            (after.RetryAfter ?? TimeSpan.Zero).ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
            (after.RetryAfter is null || after.State == CircuitState.Open).ShouldBeTrue();
            (after.State == CircuitState.Isolated || options.Mode != CircuitMode.ForcedOpen || after.State == CircuitState.Open).ShouldBeTrue();
        }
    }

    private static BlockingCollection<CircuitTransition> Record(CircuitBreaker breaker)
    {
        var events = new BlockingCollection<CircuitTransition>();
        breaker.Transitioned += events.Add;
        return events;
    }

    private static CircuitTransition Next(BlockingCollection<CircuitTransition> events)
    {
        events.TryTake(out var transition, Patience).ShouldBeTrue();
        return transition!;
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); seen < value; seen = Volatile.Read(ref target))
        {
            Interlocked.CompareExchange(ref target, value, seen);
        }
    }

    /// <summary>Threads that run one body together, again and again; what a body throws surfaces in <see cref="Run"/>.</summary>
    private sealed class Rounds
    {
        private readonly Barrier _start;
        private readonly Barrier _end;
        private readonly ConcurrentQueue<Exception> _errors = new();
        private Action? _body;

        public Rounds(int threads)
        {
            _start = new Barrier(threads + 1);
            _end = new Barrier(threads + 1);
            for (var i = 0; i < threads; i++)
            {
                new Thread(Loop) { IsBackground = true }.Start();
            }
        }

        public void Run(Action body)
        {
            _body = body;
            _start.SignalAndWait();
            _end.SignalAndWait();
            _errors.ShouldBeEmpty();
        }

        public void Stop()
        {
            _body = null;
            _start.SignalAndWait();
        }

        private void Loop()
        {
            while (true)
            {
                _start.SignalAndWait();
                if (_body is null)
                {
                    return;
                }

                try
                {
                    _body();
                }
                catch (Exception error)
                {
                    _errors.Enqueue(error);
                }

                _end.SignalAndWait();
            }
        }
    }
}
