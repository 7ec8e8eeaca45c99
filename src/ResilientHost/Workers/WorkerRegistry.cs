using System.Diagnostics.CodeAnalysis;
using ResilientHost.Workers;

namespace ResilientHost;

/// <summary>The background workers of a host: those that <c>AddResilientWorker</c> registered, and the host's other background services that the suite supervises.</summary>
/// <remarks>A singleton of the service provider; thread-safe. Empty until the host starts.</remarks>
public sealed class WorkerRegistry
{
    private readonly WorkerCatalogue _catalogue;
    private readonly WorkerTelemetry _telemetry;

    internal WorkerRegistry(WorkerCatalogue catalogue, WorkerTelemetry telemetry) => (_catalogue, _telemetry) = (catalogue, telemetry);

    /// <summary>Raised once for every change of a worker's state, in the order of the changes of each worker.</summary>
    /// <remarks>
    /// Handlers run on the thread pool, one transition at a time for each handler. A handler that blocks or throws affects neither workers nor other handlers; up to 1,024 transitions wait for it,
    /// further ones are dropped. After removal a handler gets no transition that had not been handed to it yet.
    /// </remarks>
    public event Action<WorkerTransition>? Transitioned
    {
        add
        {
            foreach (var handler in Delegate.EnumerateInvocationList(value))
            {
                _telemetry.Transition += handler;
            }
        }

        remove
        {
            foreach (var handler in Delegate.EnumerateInvocationList(value))
            {
                _telemetry.Transition -= handler;
            }
        }
    }

    /// <summary>Names of the workers, in the order of their registration.</summary>
    public IReadOnlyCollection<string> Names => [.. _catalogue.All.Select(worker => worker.Name)];

    /// <summary>All workers as they stand, in the order of their registration.</summary>
    public IReadOnlyList<WorkerSnapshot> All => [.. _catalogue.All.Select(worker => worker.Snapshot())];

    /// <summary>A worker as it stands.</summary>
    /// <param name="name">The name, without regard to case.</param>
    /// <returns>Values that belong together.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is <see langword="null"/>.</exception>
    /// <exception cref="KeyNotFoundException">There is no such worker; the message lists those there are.</exception>
    public WorkerSnapshot Get(string name) => Find(name).Worker.Snapshot();

    /// <summary>Looks for a worker.</summary>
    /// <param name="name">The name, without regard to case.</param>
    /// <param name="worker">The worker as it stands.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is <see langword="null"/>.</exception>
    public bool TryGet(string name, [NotNullWhen(true)] out WorkerSnapshot? worker)
    {
        ArgumentNullException.ThrowIfNull(name);
        worker = _catalogue.TryGet(name, out var found, out _) ? found.Snapshot() : null;
        return worker is not null;
    }

    /// <summary>Starts a worker again by hand: one that has been given up or has completed, too. Its restarts count from zero.</summary>
    /// <param name="name">The name, without regard to case.</param>
    /// <remarks>Returns before it has happened; <see cref="Transitioned"/> tells of it. Does nothing once the host stops.</remarks>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is <see langword="null"/>.</exception>
    /// <exception cref="KeyNotFoundException">There is no such worker; the message lists those there are.</exception>
    public void Restart(string name)
    {
        var (worker, group) = Find(name);
        group.Restart(worker);
    }

    private (Worker Worker, WorkerGroup Group) Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _catalogue.TryGet(name, out var worker, out var group)
            ? (worker, group)
            : throw new KeyNotFoundException($"There is no worker '{name}'. There are: {string.Join(", ", Names.DefaultIfEmpty("none"))}.");
    }
}
