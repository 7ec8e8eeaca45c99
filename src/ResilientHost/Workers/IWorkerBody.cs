namespace ResilientHost.Workers;

/// <summary>How a worker's runs are made: from a type, in a scope of their own, or by starting a hosted service again.</summary>
internal interface IWorkerBody
{
    /// <summary>Whether a run can begin while an earlier one has not ended: not so where both would be the same instance.</summary>
    bool CanReplace { get; }

    /// <summary>Whether the worker has a <see cref="WorkerContext"/>, and so can be heard.</summary>
    bool HasContext { get; }

    /// <summary>Whether the worker waits by itself, between iterations and items, while it is to pause; else its run is stopped, and another one begins after.</summary>
    bool PausesItself { get; }

    /// <summary>Makes and runs one run; the task ends as the run does.</summary>
    /// <returns>
    /// Never throws: what goes wrong before the first await (construction, scope) is in the task, too. A run that was asked to stop may end in any way.
    /// </returns>
    Task RunAsync(WorkerRun run);
}
