using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Workers;

namespace ResilientHost;

/// <summary>What a run of a worker has at hand.</summary>
/// <remarks>Thread-safe; valid until the run ends. Also a scoped service, so that what the worker is made of can take it in its constructor.</remarks>
public sealed partial class WorkerContext
{
    private readonly WorkerRun _run;
    private readonly WorkerServices _shared;
    private readonly IterationDelays _delays;

    internal WorkerContext(WorkerRun run, IServiceProvider services)
    {
        _run = run;
        Services = services;
        _shared = services.GetRequiredService<WorkerServices>();
        _delays = new IterationDelays(_shared.Clock, _shared.Random);
        Gate = new WorkerGate(run, _shared);
        Pulse.BeginRun(run.Number);
        run.Stopping.UnsafeRegister(static state => ((WorkerContext)state!).EndPulse(), this);
    }

    /// <summary>Name of the worker.</summary>
    public string Name => _run.Worker.Name;

    /// <summary>Number of the run since the host started, from 1.</summary>
    public int Run => _run.Number;

    /// <summary>Services of the run's own scope, disposed when the run has ended.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Cancelled when the run is to end.</summary>
    internal CancellationToken Stopping => _run.Stopping;

    internal Worker Worker => _run.Worker;

    /// <summary>What a pass of work waits for before it begins.</summary>
    internal WorkerGate Gate { get; }

    /// <summary>What the contexts of all workers share.</summary>
    internal WorkerServices Shared => _shared;

    private WorkerPulse Pulse => _run.Worker.Pulse;

    /// <summary>Says that the worker lives, and what it does, for <see cref="WorkerOptions.HeartbeatTimeout"/> and for people.</summary>
    /// <remarks>Iterations and items say so of their own accord when they begin and end. What an abandoned run says is not heard.</remarks>
    /// <param name="activity">What it does now, in a few words, of a closed set; <see langword="null"/> leaves what was said last.</param>
    public void Heartbeat(string? activity = null) => Pulse.Beat(Run, activity);

    /// <summary>Says that the worker waits for work, for however long: until the result is disposed, its silence means nothing, unless an iteration or an item is under way beside it.</summary>
    /// <remarks>For loops of one's own: around the receiving from a broker, a <see cref="System.Threading.PeriodicTimer"/>, a delay.</remarks>
    /// <returns>Ends the wait when disposed; disposing it again does nothing.</returns>
    public IDisposable Idle() => new IdleScope(Pulse, Run);

    /// <summary>Waits while the service level, or the circuit of <see cref="WorkerOptions.CircuitBreaker"/>, asks the worker to pause. For loops of one's own; iterations and items do so of their own accord.</summary>
    /// <remarks>
    /// The worker's state is <see cref="WorkerState.Paused"/> meanwhile. A circuit is waited for until it is half-open; the call takes no permit of it. While the kill switch is off nothing pauses.
    /// </remarks>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Complete at once when nothing asks for a pause.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the run is to stop.</exception>
    public ValueTask WaitWhilePausedAsync(CancellationToken cancellationToken = default) => Gate.WaitAsync(cancellationToken);

    /// <summary>A piece of work begins: the heart beats, and the watcher counts from here until it ends.</summary>
    /// <returns>What to give to <see cref="EndWork"/>, once.</returns>
    internal int BeginWork(string activity) => Pulse.BeginWork(Run, activity);

    /// <summary>A piece of work has ended.</summary>
    internal void EndWork(int work) => Pulse.EndWork(Run, work);

    private void EndPulse() => Pulse.EndRun(Run);

    private sealed class IdleScope : IDisposable
    {
        private readonly int _run;
        private WorkerPulse? _pulse;

        public IdleScope(WorkerPulse pulse, int run)
        {
            _pulse = pulse;
            _run = run;
            pulse.BeginIdle(run);
        }

        public void Dispose() => Interlocked.Exchange(ref _pulse, null)?.EndIdle(_run);
    }
}
