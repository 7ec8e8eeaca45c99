namespace ResilientHost.Workers;

/// <summary>Who hears what the supervision does: log, metrics, subscribers. No member throws or blocks.</summary>
internal interface IWorkerEvents
{
    /// <summary>A worker's state changed. Called outside of locks, in the order of the changes of that worker.</summary>
    void Transitioned(WorkerTransition transition);

    /// <summary>A run ended with an exception that is not acted upon: the run was asked to stop, or had been abandoned.</summary>
    void LateFailure(string worker, int run, Exception exception);

    /// <summary>A run did not end within its limit after it was asked to.</summary>
    void Abandoned(string worker, int run, TimeSpan waited, string? activity);

    /// <summary>A run that had been abandoned ended after all.</summary>
    void AbandonedEnded(string worker, int run, TimeSpan after);

    /// <summary>A worker, or its whole group, failed more often than it may. Carries out what is to happen then: may stop the host.</summary>
    void GaveUp(Worker worker, string? group, GiveUpAction? action, Exception? exception, string why);
}
