namespace ResilientHost.Workers;

/// <summary>One run of a worker, from its start to its end.</summary>
/// <param name="Worker">Whose it is.</param>
/// <param name="Number">From 1.</param>
/// <param name="Stopping">Cancelled when the run is to end; and when it has ended, so that whatever it left behind ends too.</param>
internal sealed record WorkerRun(Worker Worker, int Number, CancellationToken Stopping);
