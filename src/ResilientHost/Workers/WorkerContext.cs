using ResilientHost.Workers;

namespace ResilientHost;

/// <summary>What a run of a worker has at hand.</summary>
/// <remarks>Thread-safe; valid until the run ends. Also a scoped service, so that what the worker is made of can take it in its constructor.</remarks>
public sealed partial class WorkerContext
{
    private readonly WorkerRun _run;

    internal WorkerContext(WorkerRun run, IServiceProvider services)
    {
        _run = run;
        Services = services;
    }

    /// <summary>Name of the worker.</summary>
    public string Name => _run.Worker.Name;

    /// <summary>Number of the run since the host started, from 1.</summary>
    public int Run => _run.Number;

    /// <summary>Services of the run's own scope, disposed when the run has ended.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Says that the worker lives, and what it does, for <see cref="WorkerOptions.HeartbeatTimeout"/> and for people.</summary>
    /// <param name="activity">What it does now, in a few words, of a closed set; <see langword="null"/> leaves what was said last.</param>
    public void Heartbeat(string? activity = null) => _run.Worker.Pulse.Beat(activity);
}
