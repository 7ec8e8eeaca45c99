using System.Collections.Concurrent;

using ResilientHost.CircuitBreaking;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed partial class CircuitBreakerTests
{
    private static EventLog Record(CircuitBreaker breaker) => new(breaker);

    [Fact]
    public void Transitioned_WholeLife_OneEventPerChangeInOrder()
    {
        var breaker = Make();
        var events = Record(breaker);
        Trip(breaker);
        _time.Advance(7 * Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        Call(breaker, CallOutcome.Succeeded, 2);
        var start = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        events.Next().ShouldBe(new CircuitTransition("db", CircuitState.Closed, CircuitState.Open, CircuitTransitionCause.FailureRatio, 2, start));
        events.Next().ShouldBe(new CircuitTransition("db", CircuitState.Open, CircuitState.HalfOpen, CircuitTransitionCause.BreakElapsed, 3, start + 5 * Second));
        events.Next().ShouldBe(new CircuitTransition("db", CircuitState.HalfOpen, CircuitState.Closed, CircuitTransitionCause.ProbesSucceeded, 4, start + 7 * Second));
        events.ShouldHoldNothingMore();
    }

    [Fact]
    public void Transitioned_ThrowingListener_LosesNoLaterEventAndReachesNobody()
    {
        var failures = new BlockingCollection<string>();
        var breaker = new CircuitBreaker("db", Options(), new CircuitServices(_time, null, (name, e) => failures.Add($"{name}: {e.Message}")));
        var seen = new BlockingCollection<CircuitState>();
        breaker.Transitioned += transition =>
        {
            seen.Add(transition.To);
            throw new InvalidOperationException("listener");
        };
        var others = Record(breaker);
        breaker.Isolate();
        breaker.Reset();
        (Take(seen), Take(seen)).ShouldBe((CircuitState.Isolated, CircuitState.Closed));
        (Take(failures), Take(failures)).ShouldBe(("db: listener", "db: listener"));
        (others.Next().To, others.Next().To).ShouldBe((CircuitState.Isolated, CircuitState.Closed));
    }

    [Fact]
    public void Transitioned_BlockedListener_HoldsUpNeitherCallersNorOthersAndIsBounded()
    {
        var breaker = Make();
        using var gate = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var delivered = 0;
        breaker.Transitioned += _ =>
        {
            entered.Set();
            gate.Wait();
            Interlocked.Increment(ref delivered);
        };
        breaker.Isolate();
        entered.Wait(EventLog.Patience).ShouldBeTrue();
        var others = Record(breaker);
        for (var i = 0; i < 2000; i++)
        {
            breaker.Reset();
            breaker.Isolate();
            others.Next();
            others.Next();
        }

        breaker.DroppedTransitions.ShouldBe(4000 - CircuitListener.Capacity);
        gate.Set();
    }

    [Fact]
    public void Transitioned_RemovedListener_HearsNothingMore()
    {
        var breaker = Make();
        var seen = new BlockingCollection<CircuitState>();
        void Handler(CircuitTransition transition) => seen.Add(transition.To);
        breaker.Transitioned += Handler;
        breaker.Transitioned += Handler;
        breaker.Transitioned -= Handler;
        breaker.Isolate();
        Take(seen).ShouldBe(CircuitState.Isolated);
        breaker.Transitioned -= Handler;
        breaker.Transitioned -= Handler;
        var marker = Record(breaker);
        breaker.Reset();
        marker.Next();
        seen.Count.ShouldBe(0);
    }

    [Fact]
    public void Transitioned_ListenerThatCallsBack_DoesNotDeadlock()
    {
        var breaker = Make();
        var done = new BlockingCollection<CircuitState>();
        breaker.Transitioned += transition =>
        {
            if (transition.To == CircuitState.Isolated)
            {
                breaker.Reset();
            }

            done.Add(transition.To);
        };
        breaker.Isolate();
        (Take(done), Take(done)).ShouldBe((CircuitState.Isolated, CircuitState.Closed));
    }

    [Fact]
    public void Transitioned_Trip_RunsOffTheCallersThreadAndContext()
    {
        var breaker = Make();
        var ambient = new AsyncLocal<string?> { Value = "request" };
        var seen = new BlockingCollection<(int Thread, string? Ambient)>();
        breaker.Transitioned += _ => seen.Add((Environment.CurrentManagedThreadId, ambient.Value));
        var caller = new Thread(() => Trip(breaker));
        caller.Start();
        caller.Join();
        var (thread, value) = Take(seen);
        thread.ShouldNotBe(caller.ManagedThreadId);
        value.ShouldBeNull();
    }

    private static T Take<T>(BlockingCollection<T> collection)
    {
        collection.TryTake(out var item, EventLog.Patience).ShouldBeTrue("an event was expected");
        return item!;
    }

    private sealed class EventLog
    {
        public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
        private readonly BlockingCollection<CircuitTransition> _seen = [];
        private readonly CircuitBreaker _breaker;

        public EventLog(CircuitBreaker breaker)
        {
            _breaker = breaker;
            breaker.Transitioned += _seen.Add;
        }

        /// <summary>Makes one more change by hand: whatever had been queued before would come first.</summary>
        public void ShouldHoldNothingMore()
        {
            if (_breaker.State == CircuitState.Isolated)
            {
                _breaker.Reset();
            }
            else
            {
                _breaker.Isolate();
            }

            var marker = Next();
            (marker.From == CircuitState.Isolated || marker.To == CircuitState.Isolated).ShouldBeTrue($"unexpected {marker}");
            _seen.Count.ShouldBe(0);
        }

        public CircuitTransition Next() => Take(_seen);
    }
}
