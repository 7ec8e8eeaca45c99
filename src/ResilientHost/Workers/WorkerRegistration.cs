namespace ResilientHost.Workers;

/// <summary>That <c>AddResilientWorker</c> was called.</summary>
/// <param name="Name">Name of the worker.</param>
/// <param name="Create">Makes the instance of one run from the services of the run's scope.</param>
/// <param name="PausesItself">Whether it is an <see cref="IResilientWorker"/>, whose iterations and items wait while it is to pause.</param>
internal sealed record WorkerRegistration(string Name, Func<IServiceProvider, object> Create, bool PausesItself);

/// <summary>Hands the context of a run to what is made in the run's scope. Scoped.</summary>
internal sealed class WorkerContextHolder
{
    private WorkerContext? _context;

    /// <exception cref="InvalidOperationException">Get: the scope is not that of a run.</exception>
    public WorkerContext Context
    {
        get => _context ?? throw new InvalidOperationException($"There is a {nameof(WorkerContext)} in the scope of a worker's run only; the worker must be one that AddResilientWorker registered.");
        set => _context = value;
    }
}
