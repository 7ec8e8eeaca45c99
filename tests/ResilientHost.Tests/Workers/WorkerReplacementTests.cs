using ResilientHost.Hosting;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

/// <summary>Watcher and supervision together: a run that hangs is replaced, and what it still does is not its successor's.</summary>
public sealed class WorkerReplacementTests : IDisposable
{
    private readonly IterationsUnderTest _under = new(options =>
    {
        options.HeartbeatTimeout = TimeSpan.FromSeconds(10);
        options.ReplaceStuck = true;
        options.StopTimeout = TimeSpan.FromSeconds(5);
        options.RestartDelay = TimeSpan.Zero;
    });

    private readonly SupervisionEvents _events = new();
    private readonly TaskCompletionSource _hang = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HangingBody _body;
    private readonly Worker _worker;
    private readonly WorkerGroup _group;
    private readonly WorkerWatcher _watcher;

    public WorkerReplacementTests()
    {
        var clock = new MonotonicClock(_under.Time);
        _body = new HangingBody(_under, _hang.Task);
        _worker = new Worker("import", _body, () => _under.Settings, clock);
        _group = new WorkerGroup(name: null, [_worker], () => null, () => _under.Settings.Enabled, clock, _events, new Random(1));
        _watcher = new WorkerWatcher(() => [(_worker, _group)], _under.Shared with { Events = _events });
    }

    public void Dispose()
    {
        _watcher.Dispose();
        _group.Dispose();
        _under.Dispose();
    }

    [Fact]
    public async Task Look_AtARunThatHangs_ReplacesItAndKeepsAnEyeOnIt()
    {
        await _group.StartAsync(_worker);
        Until(() => _worker.Pulse.IsWorking);
        _under.Time.Advance(TimeSpan.FromSeconds(11));
        _watcher.Look();
        _events.Moves.ShouldContain("Running>Stuck Silence");

        // It does not end when it is asked to.
        _under.Time.Advance(TimeSpan.FromSeconds(5));
        Until(() => _body.Runs == 2 && _worker.State == WorkerState.Running);
        _worker.Snapshot().Abandoned.ShouldBe(1);
        _worker.Snapshot().Restarts.ShouldBe(1);
        _under.Time.Advance(TimeSpan.FromSeconds(9));
        _watcher.Look();
        _worker.State.ShouldBe(WorkerState.Running);

        _hang.SetResult();
        Until(() => _worker.Snapshot().Abandoned == 0);
        _worker.State.ShouldBe(WorkerState.Running);
        _worker.Pulse.Silence(_under.Time.GetTimestamp())!.For.ShouldBe(TimeSpan.FromSeconds(9), "what the first run said at its end is not heard");
        await _group.StopAsync(_worker, new CancellationToken(canceled: true));
    }

    private static void Until(Func<bool> condition) => SpinWait.SpinUntil(condition, IterationsUnderTest.Patience).ShouldBeTrue();

    /// <summary>Its first run hangs in an iteration, whatever it is asked; the others do nothing until they are stopped.</summary>
    private sealed class HangingBody(IterationsUnderTest under, Task hang) : IWorkerBody
    {
        private int _runs;

        public int Runs => Volatile.Read(ref _runs);

        public bool CanReplace => true;

        public bool HasContext => true;

        public bool PausesItself => true;

        public async Task RunAsync(WorkerRun run)
        {
            var context = under.ContextOf(run);
            if (Interlocked.Increment(ref _runs) == 1)
            {
                await context.RunIterationAsync("import", _ => hang);
                context.Heartbeat("ghost");
                return;
            }

            var stopped = new TaskCompletionSource();
            await using var registration = run.Stopping.Register(stopped.SetResult);
            await stopped.Task;
        }
    }

    private sealed class SupervisionEvents : IWorkerEvents
    {
        private readonly Lock _gate = new();
        private readonly List<string> _moves = [];

        public IReadOnlyList<string> Moves
        {
            get
            {
                lock (_gate)
                {
                    return [.. _moves];
                }
            }
        }

        public void Transitioned(WorkerTransition transition)
        {
            lock (_gate)
            {
                _moves.Add($"{transition.From}>{transition.To} {transition.Cause}");
            }
        }

        public void LateFailure(string worker, int run, Exception exception)
        {
        }

        public void Abandoned(string worker, int run, TimeSpan waited, string? activity)
        {
        }

        public void AbandonedEnded(string worker, int run, TimeSpan after)
        {
        }

        public void GaveUp(Worker worker, string? group, GiveUpAction? action, Exception? exception, string why)
        {
        }
    }
}
