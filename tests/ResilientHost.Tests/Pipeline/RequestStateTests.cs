using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ResilientHost.Hosting;
using ResilientHost.Pipeline;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;
using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Pipeline;

public sealed class RequestStateTests
{
    [Fact]
    public void LeaveLayers_WhileTheTimerLeavesTheCircuit_LeavesItToTheTimer()
    {
        var time = new HookedTime();
        var clock = new MonotonicClock(time);
        var gates = new LayerGates(clock);
        using var services = new ServiceCollection().AddMetrics().AddSingleton<ResilienceMeter>().BuildServiceProvider();
        using var log = new TimeoutLog(NullLogger<TimeoutLog>.Instance, () => new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false), clock);
        using var state = new RequestState(gates, clock, new TimeoutMetrics(services.GetRequiredService<ResilienceMeter>()), log);
        var circuit = new CircuitBreaker("db", new() { MinimumThroughput = 100, SlowCallDuration = TimeSpan.FromHours(1) }, time);
        var plan = new EndpointPlan { Key = "GET /", Tag = "GET /", CircuitBreaker = circuit };
        var admission = new Admission { ArrivedAt = gates.Arrive(plan, timed: false) };
        LayerGates.TryEnter(plan, ref admission, out _).ShouldBe(LayerGates.Entry.Admitted);
        state.Begin(new DefaultHttpContext(), plan, admission);
        state.BeginTimeout(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1), call: null);

        // The timer's thread has taken the circuit and looks at the clock; the endpoint returns just now.
        int? countedByTheFrame = null;
        time.WhenAsked = () =>
        {
            state.LeaveLayers(CallOutcome.Failed);
            countedByTheFrame = circuit.Snapshot().Calls;
        };
        ((IOverrunListener)state).OnOverrun();

        countedByTheFrame.ShouldBe(0);
        (circuit.Snapshot().Calls, circuit.Snapshot().Failures).ShouldBe((1, 1));
    }

    private sealed class HookedTime : TimeProvider
    {
        public Action? WhenAsked { get; set; }

        public override long GetTimestamp()
        {
            var hook = WhenAsked;
            WhenAsked = null;
            hook?.Invoke();
            return 1;
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new NoTimer();

        private sealed class NoTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
