namespace ResilientHost.Workers;

/// <summary>What the watcher may ask of the supervision of a worker. Thread-safe; returns at once and does not throw.</summary>
internal interface IWorkerControl
{
    /// <summary>A run is silent and is to be replaced. A run that is not the worker's any more is left alone.</summary>
    void ReportStuck(Worker worker, int run, TimeSpan silence, string? activity);

    /// <summary>Stops the run of a worker that cannot pause of its own accord, and counts neither a failure nor a restart.</summary>
    Task PauseAsync(Worker worker, string? detail = null);

    /// <summary>Starts a worker again that <see cref="PauseAsync"/> stopped. Does nothing to any other.</summary>
    Task ResumeAsync(Worker worker);
}
