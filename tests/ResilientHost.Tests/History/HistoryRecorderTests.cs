using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Degradation;
using ResilientHost.History;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.History;

public sealed class HistoryRecorderTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Nobody_AsksForHistory_NothingIsWatchedAndNoTimerRuns()
    {
        using var history = new HistoryUnderTest();
        var timers = history.Time.ArmedTimers;
        history.Recorder.Start();

        await history.SendAsync(history.Answering(200));
        history.Pass(10);

        history.Circuits.All.ShouldAllBe(circuit => circuit.Watch == null);
        (history.Recorder.IsRunning, history.Time.ArmedTimers - timers, history.Recorder.Latest).ShouldBe((false, 0, null));
        history.Recorder.Read(true).Circuits.ShouldBeEmpty();
    }

    [Fact]
    public async Task Requests_OfASecond_AreInItsPlace()
    {
        using var history = new HistoryUnderTest().Started();
        await history.SendAsync(history.Answering(200));
        await history.SendAsync(history.Answering(500));
        history.Pass();
        history.Pass();
        await history.SendAsync(history.Answering(404));
        history.Pass();

        var circuit = history.Circuit("GET /");

        circuit.Calls.ShouldBe([2, 0, 1]);
        circuit.Failures.ShouldBe([1, 0, 0]);
        circuit.Refused.ShouldBe([0, 0, 0]);
        history.Recorder.Read(true).At.ShouldBe(Start + TimeSpan.FromSeconds(3));
        history.Recorder.Latest!.Circuits.Single().Calls.ShouldBe(1);
    }

    [Fact]
    public async Task Requests_AmongManyRefused_AreStillMeasured()
    {
        using var history = new HistoryUnderTest(("CircuitBreakers:db:ConsecutiveFailures", "1"), ("CircuitBreakers:db:Mode", "ForcedOpen"), ("CircuitBreakers:web:ConsecutiveFailures", "1")).Started();
        var (refused, admitted) = (history.Answering(200, "GET /", new CircuitBreakerAttribute("db")), history.Taking(TimeSpan.FromMilliseconds(20), metadata: new CircuitBreakerAttribute("web")));
        var web = history.Circuits.Get("web");
        web.Isolate();
        for (var i = 0; i < CallWatch.MaxSamples * 3; i++)
        {
            (await history.SendAsync(admitted)).ShouldBe(503);
            (await history.SendAsync(refused)).ShouldBe(503);
        }

        web.Reset();
        (await history.SendAsync(admitted)).ShouldBe(200);
        history.Pass();

        history.Circuit("web").P50Seconds.ShouldNotBeNull().ShouldBe(0.02, 0.005);
    }

    [Fact]
    public async Task Requests_ThatTheCircuitRefuses_AreRefusedAndNoCalls()
    {
        using var history = new HistoryUnderTest(("CircuitBreakers:db:ConsecutiveFailures", "1")).Started();
        var endpoint = history.Answering(500, "GET /", new CircuitBreakerAttribute("db"));
        await history.SendAsync(endpoint);
        (await history.SendAsync(endpoint)).ShouldBe(503);
        (await history.SendAsync(endpoint)).ShouldBe(503);
        history.Pass();

        var circuit = history.Circuit("db");

        (circuit.Calls[0], circuit.Failures[0], circuit.Refused[0]).ShouldBe((1, 1, 2));
        var sample = history.Recorder.Latest!;
        (sample.Service.Rate, sample.Service.Errors, sample.Service.Refused).ShouldBe((1, 1, 2));
    }

    [Fact]
    public async Task Requests_WithoutACircuit_CountForTheService()
    {
        using var history = new HistoryUnderTest().Started();
        await history.SendAsync(history.Answering(500, "GET /", new DisableResilienceAttribute()));
        history.Pass();

        (history.Recorder.Latest!.Service.Rate, history.Recorder.Latest.Service.Errors).ShouldBe((1, 1));
    }

    [Fact]
    public async Task Durations_OfRequests_BecomePercentiles()
    {
        using var history = new HistoryUnderTest().Started();
        foreach (var milliseconds in Enumerable.Repeat(10, 9).Append(900))
        {
            await history.SendAsync(history.Taking(TimeSpan.FromMilliseconds(milliseconds)));
        }

        history.Pass(5);

        var circuit = history.Circuit("GET /");
        circuit.P50Seconds!.Value.ShouldBe(0.010, 0.0005);
        circuit.P99Seconds!.Value.ShouldBe(0.900, 0.045);
        history.Service.P50Seconds[0]!.Value.ShouldBe(0.010, 0.0005);
        history.Recorder.TryRead(history.Circuits.All.Single(), out var rates).ShouldBeTrue();
        rates.P90Seconds!.Value.ShouldBe(0.010, 0.0005);
        rates.CallsPerSecond.ShouldBe(10 / 5d, 0.5);

        history.Pass(150);
        history.Circuit("GET /").P50Seconds.ShouldBeNull();
    }

    [Fact]
    public async Task Service_HasAPointForFiveSeconds()
    {
        using var history = new HistoryUnderTest().Started();
        for (var second = 0; second < 10; second++)
        {
            await history.SendAsync(history.Answering(second < 5 ? 200 : 500));
            history.Pass();
        }

        history.Pass();
        var service = history.Service;
        service.Rate.ShouldBe([1, 1]);
        service.Errors.ShouldBe([0, 1]);
        service.To.ShouldBe(Start + TimeSpan.FromSeconds(10));
        new[] { service.Refused.Length, service.P50Seconds.Length, service.InFlight.Length, service.Saturation.Length }.ShouldAllBe(length => length == 2);
    }

    [Fact]
    public async Task History_OfADay_IsBounded()
    {
        using var history = new HistoryUnderTest().Started();
        for (var hour = 0; hour < 3; hour++)
        {
            await history.SendAsync(history.Answering(200));
            history.Pass(3600);
        }

        await history.SendAsync(history.Answering(200));
        history.Pass(120);

        history.Service.Rate.Length.ShouldBe(720);
        history.Circuit("GET /").Calls.Length.ShouldBe(120);
        history.Circuit("GET /").Calls.Sum().ShouldBe(1);
        history.Pass(200);
        history.Circuit("GET /").Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task Time_ThatPassesAtOnce_SpreadsTheCalls()
    {
        var time = new JumpingTime();
        using var history = new HistoryUnderTest(builder => builder.Services.AddSingleton<TimeProvider>(time)).Started();
        for (var call = 0; call < 30; call++)
        {
            await history.SendAsync(history.Answering(500));
        }

        time.JumpAndFire(TimeSpan.FromSeconds(10));

        history.Circuit("GET /").Calls.ShouldBe(Enumerable.Repeat(3, 10));
        history.Service.Rate.ShouldBe([3, 3]);

        time.JumpAndFire(TimeSpan.FromDays(40));
        history.Service.Rate.Length.ShouldBe(720);
        time.JumpAndFire(TimeSpan.FromDays(-40));
        time.JumpAndFire(TimeSpan.FromSeconds(1));
        history.Service.Rate.Length.ShouldBe(720);
    }

    [Fact]
    public void WallClock_ThatIsSet_TakesAllTimesAlong()
    {
        using var history = new HistoryUnderTest(("CircuitBreakers:db:ConsecutiveFailures", "1")).Started();
        var circuit = history.Circuits.Get("db");
        history.Pass(10);
        circuit.Isolate();
        Eventually(() => history.Circuit("db").States.Count == 2);
        history.Time.SetUtcNow(Start - TimeSpan.FromHours(5));
        history.Pass(2);

        var states = history.Circuit("db").States;

        states[1].From.ShouldBe(Start - TimeSpan.FromHours(5));
        states[0].To.ShouldBe(states[1].From);
        history.Recorder.Read(true).At.ShouldBe(Start - TimeSpan.FromHours(5) + TimeSpan.FromSeconds(2));
        circuit.Reset();
        Eventually(() => history.Circuit("db").States.Count == 3);
        history.Circuit("db").States[2].From.ShouldBe(Start - TimeSpan.FromHours(5) + TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void States_OfACircuit_CarryTheTimeOfTheChange()
    {
        using var history = new HistoryUnderTest(("CircuitBreakers:db:ConsecutiveFailures", "1"), ("CircuitBreakers:db:BreakDuration", "00:00:05"), ("CircuitBreakers:db:BreakJitter", "0")).Started();
        history.Pass(0.6);
        Fail(history.Circuits.Get("db"));
        Eventually(() => history.Circuit("db").States.Count == 2);
        history.Pass(10);
        List<StateSegment> expected =
        [
            new("closed", Start, Start + TimeSpan.FromSeconds(0.6)),
            new("open", Start + TimeSpan.FromSeconds(0.6), Start + TimeSpan.FromSeconds(5.6)),
            new("halfOpen", Start + TimeSpan.FromSeconds(5.6), null),
        ];

        Eventually(() => history.Circuit("db").States.SequenceEqual(expected));
    }

    [Fact]
    public void States_OfAKeyedCircuit_AreTheWorstOfItsPartitions()
    {
        using var history = new HistoryUnderTest().Started();
        var client = history.Services.GetRequiredService<OutboundClients>().GetOrAdd("pricing");
        history.Pass();
        client.Of(new Uri("https://a.example/")).CircuitBreaker.ForceOpen(TimeSpan.FromHours(1));
        history.Pass();

        history.Circuit("http:pricing").States.Select(segment => segment.State).ShouldBe(["closed", "open"]);
    }

    [Fact]
    public void Level_ThatChanges_IsAStrip()
    {
        using var history = new HistoryUnderTest().Started();
        history.Pass(2);
        history.Services.GetRequiredService<IServiceLevel>().Override(ServiceLevel.Essential, TimeSpan.FromSeconds(3));
        Eventually(() => history.Recorder.Read(true).Levels.Count == 2);
        history.Pass(10);

        Eventually(() => history.Recorder.Read(true).Levels.SequenceEqual(
        [
            new("normal", Start, Start + TimeSpan.FromSeconds(2)),
            new("essential", Start + TimeSpan.FromSeconds(2), Start + TimeSpan.FromSeconds(5)),
            new("normal", Start + TimeSpan.FromSeconds(5), null),
        ]));
    }

    [Fact]
    public async Task KeepHistory_TurnedOffAndOn_ForgetsAndBeginsAnew()
    {
        using var history = new HistoryUnderTest().Started();
        await history.SendAsync(history.Answering(200));
        history.Pass();
        history.Reload("Dashboard:KeepHistory", "false");
        history.Recorder.IsRunning.ShouldBeFalse();
        history.Circuits.All.ShouldAllBe(circuit => circuit.Watch == null);
        history.Recorder.Read(true).Circuits.ShouldBeEmpty();
        history.Recorder.TryRead(history.Circuits.All.Single(), out _).ShouldBeFalse();
        await history.SendAsync(history.Answering(200));

        history.Reload("Dashboard:KeepHistory", "true");

        await history.SendAsync(history.Answering(200));
        history.Pass();
        history.Circuit("GET /").Calls.ShouldBe([1]);
        history.Service.Rate.ShouldBeEmpty();
    }

    [Fact]
    public void Stop_LeavesNothingBehind()
    {
        using var history = new HistoryUnderTest();
        var timers = history.Time.ArmedTimers;
        history.Started();
        history.Time.ArmedTimers.ShouldBe(timers + 1);

        history.Recorder.Stop();

        history.Time.ArmedTimers.ShouldBe(timers);
        history.Circuits.All.ShouldAllBe(circuit => circuit.Watch == null);
        history.Pass(5);
        history.Recorder.Latest.ShouldBeNull();
    }

    [Fact]
    public void Sampled_WithListenersThatThrowAndBlock_ReachesTheOthersAndGoesOn()
    {
        using var history = new HistoryUnderTest().Started();
        using var blocked = new ManualResetEventSlim();
        var seen = 0;
        history.Recorder.Sampled += _ => throw new InvalidOperationException("listener");
        history.Recorder.Sampled += _ => blocked.Wait(TimeSpan.FromSeconds(30));
        history.Recorder.Sampled += _ => Interlocked.Increment(ref seen);

        history.Pass(20);

        Eventually(() => Volatile.Read(ref seen) == 20);
        history.Recorder.Latest!.At.ShouldBe(Start + TimeSpan.FromSeconds(20));
        blocked.Set();
    }

    [Fact]
    public async Task MaxCircuits_WithTenThousandCircuits_KeepsThoseInTroubleAndTheBusiest()
    {
        using var history = new HistoryUnderTest(("Dashboard:MaxCircuits", "20")).Started();
        var circuits = Enumerable.Range(0, 9_000).Select(number => history.Circuits.GetOrAddForEndpoint($"GET /{number:0000}")).ToList();
        circuits.Count(circuit => history.Recorder.TryRead(circuit, out _)).ShouldBe(20);
        var busy = history.Answering(200, "busy");
        for (var call = 0; call < 50; call++)
        {
            await history.SendAsync(busy);
        }

        circuits[5_000].ForceOpen(TimeSpan.FromHours(1));
        history.Pass(11);

        var kept = history.Recorder.Read(true).Circuits.Select(circuit => circuit.Name).ToList();
        kept.Count.ShouldBe(20);
        kept.ShouldContain("GET /5000");
        kept.ShouldContain("busy");
        history.Service.Rate.Sum().ShouldBe(50 / 5d, "requests to circuits without a history are requests");

        history.Reload("Dashboard:MaxCircuits", "1");
        history.Recorder.Read(true).Circuits.Single().Name.ShouldBe("GET /5000");
        history.Reload("Dashboard:MaxCircuits", "40");
        history.Recorder.Read(true).Circuits.Count.ShouldBe(40);
    }

    [Fact]
    public async Task MaxCircuits_WhenACircuitLosesItsPlace_NoCallIsLost()
    {
        using var history = new HistoryUnderTest(("Dashboard:MaxCircuits", "1")).Started();
        var total = 0d;
        for (var round = 0; round < 200; round++)
        {
            var endpoint = history.Answering(200, round / 40 % 2 == 0 ? "a" : "b");
            for (var call = 0; call < 1 + (round % 40 * 3); call++)
            {
                await history.SendAsync(endpoint);
                total++;
            }

            history.Pass();
        }

        history.Pass(20);

        (history.Service.Rate.Sum() * ServiceTrack.IntervalSeconds).ShouldBe(total, 0.01);
    }

    [Fact]
    public void IsWanted_SetAfterTheHostHasStarted_BeginsThen()
    {
        using var history = new HistoryUnderTest();
        history.Recorder.Start();
        history.Recorder.IsRunning.ShouldBeFalse();

        history.Recorder.IsWanted = true;

        history.Recorder.IsRunning.ShouldBeTrue();
    }

    private static void Fail(CircuitBreaker circuit)
    {
        circuit.TryEnter(out var permit, out _).ShouldBeTrue();
        circuit.Exit(permit, CallOutcome.Failed).ShouldNotBeNull();
    }

    // Changes are told on the thread pool.
    private static void Eventually(Func<bool> condition) => SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(20)).ShouldBeTrue();

    /// <summary>A clock that jumps, and whose timers fire only then, once each.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        private readonly List<Timer> _timers = [];
        private TimeSpan _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks + TimeSpan.FromDays(100).Ticks;

        public override DateTimeOffset GetUtcNow() => Start + _now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer(() => callback(state), dueTime);
            _timers.Add(timer);
            return timer;
        }

        public void JumpAndFire(TimeSpan by)
        {
            _now += by;
            _timers.ToList().ForEach(timer => timer.Fire());
        }

        private sealed class Timer(Action callback, TimeSpan due) : ITimer
        {
            private bool _isArmed = due != Timeout.InfiniteTimeSpan;

            public void Fire()
            {
                if (_isArmed)
                {
                    _isArmed = false;
                    callback();
                }
            }

            public bool Change(TimeSpan dueTime, TimeSpan period) => _isArmed = dueTime != Timeout.InfiniteTimeSpan;

            public void Dispose() => _isArmed = false;

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
