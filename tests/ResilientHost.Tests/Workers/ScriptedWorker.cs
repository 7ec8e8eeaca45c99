using System.Threading.Channels;

using ResilientHost.Hosting;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

/// <summary>A worker whose runs begin when the supervision says and end when the test does.</summary>
internal sealed class ScriptedWorker : IWorkerBody
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly Channel<ScriptedRun> _runs = Channel.CreateUnbounded<ScriptedRun>();
    private int _runsBegun;

    public ScriptedWorker(string name, TimeProvider time, Func<WorkerOptions> options)
    {
        Worker = new(name, this, () => Settings(options()), new MonotonicClock(time));
    }

    public Worker Worker { get; }

    public bool CanReplace { get; init; } = true;

    public bool HasContext => true;

    public bool PausesItself => true;

    /// <summary>What a run does instead of waiting for the test, if anything.</summary>
    public Func<WorkerRun, Task>? Does { get; init; }

    /// <summary>Whether runs end as soon as they are asked to, also those that the test does not take.</summary>
    public bool Obeys { get; init; }

    public int RunsBegun => Volatile.Read(ref _runsBegun);

    public Task RunAsync(WorkerRun run)
    {
        Interlocked.Increment(ref _runsBegun);
        if (Does is { } does)
        {
            return does(run);
        }

        ScriptedRun scripted = new(run);
        if (Obeys)
        {
            scripted.Obey();
        }

        _runs.Writer.TryWrite(scripted).ShouldBeTrue();
        return scripted.Task;
    }

    /// <summary>The next run that began.</summary>
    public async Task<ScriptedRun> NextRunAsync() => await _runs.Reader.ReadAsync().AsTask().WaitAsync(Deadline);

    private static WorkerSettings Settings(WorkerOptions options) => new(
        Enabled: true, SupervisesHostedServices: true, ContainsUnhandledExceptions: false, new(options), new Dictionary<string, WorkerPolicy>(), new Dictionary<string, WorkerGroupPolicy>());
}

/// <summary>One run of a <see cref="ScriptedWorker"/>.</summary>
internal sealed class ScriptedRun(WorkerRun run)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Number => run.Number;

    public CancellationToken Stopping => run.Stopping;

    public Task Task => _end.Task;

    public void Return() => _end.SetResult();

    public void Throw(Exception exception) => _end.SetException(exception);

    public void TryThrow(Exception exception) => _end.TrySetException(exception);

    /// <summary>Ends as soon as it is asked to.</summary>
    public ScriptedRun Obey()
    {
        run.Stopping.UnsafeRegister(_ => _end.TrySetCanceled(run.Stopping), null);
        return this;
    }

    public async Task UntilAskedToStopAsync()
    {
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = run.Stopping.UnsafeRegister(_ => asked.TrySetResult(), null);
        await asked.Task.WaitAsync(Deadline);
    }
}

/// <summary>Keeps what the supervision tells, one after the other.</summary>
internal sealed class RecordedWorkerEvents : IWorkerEvents
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly Channel<string> _told = Channel.CreateUnbounded<string>();

    public bool Throws { get; set; }

    public async Task<string> NextAsync() => await _told.Reader.ReadAsync().AsTask().WaitAsync(Deadline);

    /// <summary>Reads what is told until it is <paramref name="last"/>.</summary>
    public async Task<List<string>> UntilAsync(string last)
    {
        List<string> told = [];
        do
        {
            told.Add(await NextAsync());
        }
        while (told[^1] != last);

        return told;
    }

    public void Transitioned(WorkerTransition transition) => Tell($"{transition.Name} {transition.From}>{transition.To} {transition.Cause}");

    public void LateFailure(string worker, int run, Exception exception) => Tell($"{worker}#{run} late {exception.GetType().Name}");

    public void Abandoned(string worker, int run, TimeSpan waited, string? activity) => Tell($"{worker}#{run} abandoned after {waited.TotalSeconds} s doing {activity ?? "nothing"}");

    public void AbandonedEnded(string worker, int run, TimeSpan after) => Tell($"{worker}#{run} ended after all");

    public void GaveUp(Worker worker, string? group, GiveUpAction? action, Exception? exception, string why) =>
        Tell($"{worker.Name} of {group ?? "none"} gave up: {action?.ToString() ?? "as it is"}, {exception?.GetType().Name ?? "nothing thrown"}");

    private void Tell(string what)
    {
        _told.Writer.TryWrite(what).ShouldBeTrue();
        if (Throws)
        {
            throw new InvalidOperationException("a listener that breaks its promise");
        }
    }
}
