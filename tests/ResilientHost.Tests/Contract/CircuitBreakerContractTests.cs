using System.Threading.Channels;

namespace ResilientHost.Tests.Contract;

// Written from the contract alone, against the public API alone. One partial file per paragraph of it; here is what they share.
public sealed partial class CircuitBreakerContractTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly ManualTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Trips at 2 failures of 4 calls, breaks 5 s without jitter, judges by 3 probes.</summary>
    private static CircuitBreakerOptions Options(Action<CircuitBreakerOptions>? change = null)
    {
        var options = new CircuitBreakerOptions { MinimumThroughput = 4, SamplingDuration = 10 * Second, BreakJitter = 0 };
        change?.Invoke(options);
        return options;
    }

    private CircuitBreaker Make(Action<CircuitBreakerOptions>? change = null, TimeProvider? clock = null) => new("db", Options(change), clock ?? _time);

    private CircuitBreaker MakeOpen(Action<CircuitBreakerOptions>? change = null, TimeProvider? clock = null)
    {
        var breaker = Make(change, clock);
        Trip(breaker);
        return breaker;
    }

    private CircuitBreaker MakeHalfOpen(Action<CircuitBreakerOptions>? change = null, TimeProvider? clock = null)
    {
        var breaker = MakeOpen(change, clock);
        _time.Advance(breaker.Snapshot().RetryAfter!.Value);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        return breaker;
    }

    private static void Trip(CircuitBreaker breaker)
    {
        for (var i = 0; i < 100 && breaker.State == CircuitState.Closed; i++)
        {
            Call(breaker, CallOutcome.Failed);
        }

        breaker.State.ShouldBe(CircuitState.Open);
    }

    private static CircuitPermit Enter(CircuitBreaker breaker)
    {
        breaker.TryEnter(out var permit, out var refusal).ShouldBeTrue();
        refusal.ShouldBe(default);
        return permit;
    }

    private static Refusal Refuse(CircuitBreaker breaker)
    {
        breaker.TryEnter(out var permit, out var refusal).ShouldBeFalse();
        permit.Era.ShouldBe(0);
        permit.IsProbe.ShouldBeFalse();
        return refusal;
    }

    private static CircuitTransition? Call(CircuitBreaker breaker, CallOutcome outcome) => breaker.Exit(Enter(breaker), outcome);

    private CircuitTransition? SlowCall(CircuitBreaker breaker, TimeSpan duration, CallOutcome outcome)
    {
        var permit = Enter(breaker);
        _time.Advance(duration);
        return breaker.Exit(permit, outcome);
    }

    private static ChannelReader<CircuitTransition> Listen(CircuitBreaker breaker)
    {
        var events = Channel.CreateUnbounded<CircuitTransition>();
        breaker.Transitioned += transition => events.Writer.TryWrite(transition);
        return events.Reader;
    }

    /// <summary>All events until now: an isolation is the mark behind the last of them.</summary>
    private static async Task<List<CircuitTransition>> EventsSoFar(CircuitBreaker breaker, ChannelReader<CircuitTransition> events)
    {
        breaker.Isolate();
        List<CircuitTransition> seen = [];
        await foreach (var transition in events.ReadAllAsync(Token))
        {
            if (transition.To == CircuitState.Isolated)
            {
                break;
            }

            seen.Add(transition);
        }

        return seen;
    }

    private static void OnThreads(int count, Action<int> body)
    {
        using var start = new Barrier(count);
        var threads = Enumerable.Range(0, count).Select(i => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait(Token);
                body(i);
            },
            Token,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToArray();
        Task.WaitAll(threads, Token);
    }
}
