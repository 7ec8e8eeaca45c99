using ResilientHost;

namespace FailureDrill.Plants.Service;

/// <summary>The states that the sorter has been in since the plant was started, in order. Thread-safe.</summary>
internal sealed class WorkerHistory : IDisposable
{
    private readonly WorkerRegistry _workers;
    private readonly List<string> _sorter = [];

    public WorkerHistory(WorkerRegistry workers)
    {
        _workers = workers;
        _workers.Transitioned += Add;
    }

    public IReadOnlyList<string> ReadSorter()
    {
        lock (_sorter)
        {
            return [.. _sorter];
        }
    }

    public void Dispose() => _workers.Transitioned -= Add;

    private void Add(WorkerTransition change)
    {
        if (change.Name == "sorter")
        {
            lock (_sorter)
            {
                _sorter.Add($"{change.To}");
            }
        }
    }
}
