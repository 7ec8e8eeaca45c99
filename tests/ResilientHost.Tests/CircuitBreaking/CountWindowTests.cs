using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed class CountWindowTests
{
    private static readonly CircuitPolicy Policy = CircuitPolicy.Create(
        "w", new CircuitBreakerOptions { WindowSize = 7, MinimumThroughput = 7 }, new MonotonicClock(new ManualTimeProvider()));

    [Fact]
    public void Read_AnySequence_HoldsExactlyTheLastN()
    {
        var random = new Random(4711);
        var window = new CountWindow(7);
        var all = new List<(bool Failed, bool Slow)>();
        for (var i = 0; i < 2000; i++)
        {
            var (failed, slow) = (random.Next(3) == 0, random.Next(3) == 0);
            all.Add((failed, slow));
            if (failed || slow)
            {
                window.AddTrouble(Policy, failed, slow, 0);
            }
            else
            {
                window.AddSuccess(Policy, 0);
            }

            var last = all.TakeLast(7).ToList();
            window.Read(Policy, 0).ShouldBe(new WindowCounts(last.Count, last.Count(o => o.Failed), last.Count(o => o.Slow)));
        }
    }

    [Fact]
    public void AddSuccess_EvictsASuccessWhileTheRatioStands_DoesNotTrip()
    {
        var window = new CountWindow(7);
        for (var i = 0; i < 3; i++)
        {
            window.AddTrouble(Policy, failed: true, slow: false, 0).ShouldBeNull();
        }

        for (var i = 0; i < 4; i++)
        {
            window.AddSuccess(Policy, 0).ShouldBeNull();
        }

        window.AddTrouble(Policy, failed: true, slow: false, 0).ShouldBeNull("a failure left as one came");
    }

    [Fact]
    public void Add_ManyThreads_KeepsTheSumOfTheRing()
    {
        const int Threads = 8;
        var window = new CountWindow(100);
        using var start = new Barrier(Threads);
        var workers = Enumerable.Range(0, Threads).Select(worker => new Thread(() =>
        {
            start.SignalAndWait();
            for (var i = 0; i < 20_000; i++)
            {
                window.AddTrouble(Policy, failed: (i + worker) % 2 == 0, slow: i % 3 == 0, 0);
            }
        })).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        for (var i = 0; i < 100; i++)
        {
            window.AddSuccess(Policy, 0);
        }

        window.Read(Policy, 0).ShouldBe(new WindowCounts(100, 0, 0));
    }

    [Fact]
    public void Exit_WindowSmallerThanMinimumThroughput_TripsWhenTheWindowIsFull()
    {
        var breaker = new CircuitBreaker("db", new CircuitBreakerOptions { WindowSize = 4, MinimumThroughput = 20 }, new ManualTimeProvider());
        for (var call = 1; call <= 4; call++)
        {
            breaker.State.ShouldBe(CircuitState.Closed);
            breaker.TryEnter(out var permit, out _).ShouldBeTrue();
            breaker.Exit(permit, CallOutcome.Failed);
        }

        breaker.State.ShouldBe(CircuitState.Open);
    }
}
