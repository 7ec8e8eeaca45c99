using System.Diagnostics.CodeAnalysis;

namespace ResilientHost.Workers;

/// <summary>All workers of a host, in the order of their registration: the list that everybody reads.</summary>
/// <remarks>Empty until the host starts; filled before any service of it starts, and once more without those that turned out not to run. Thread-safe.</remarks>
internal sealed class WorkerCatalogue
{
    private volatile Contents _contents = new([]);

    /// <summary>The workers.</summary>
    public IReadOnlyList<Worker> All => _contents.Workers;

    /// <summary>The workers with what supervises them: a group that they share, or one of their own.</summary>
    public IReadOnlyList<(Worker Worker, WorkerGroup Group)> Entries => _contents.Entries;

    /// <summary>Looks for a worker by its name, without regard to case.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out Worker? worker, [NotNullWhen(true)] out WorkerGroup? group)
    {
        (worker, group) = _contents.ByName.TryGetValue(name, out var entry) ? entry : (null, null);
        return worker is not null;
    }

    public void Fill(IReadOnlyList<(Worker Worker, WorkerGroup Group)> entries) => _contents = new(entries);

    private sealed class Contents(IReadOnlyList<(Worker Worker, WorkerGroup Group)> entries)
    {
        public IReadOnlyList<(Worker Worker, WorkerGroup Group)> Entries { get; } = entries;

        public IReadOnlyList<Worker> Workers { get; } = [.. entries.Select(entry => entry.Worker)];

        public Dictionary<string, (Worker? Worker, WorkerGroup? Group)> ByName { get; } = entries.ToDictionary(
            entry => entry.Worker.Name, entry => ((Worker?)entry.Worker, (WorkerGroup?)entry.Group), StringComparer.OrdinalIgnoreCase);
    }
}
