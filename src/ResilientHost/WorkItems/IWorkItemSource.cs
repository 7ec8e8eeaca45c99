namespace ResilientHost.WorkItems;

/// <summary>Where items come from, and where they go back to when they were not finished. Thread-safe for any number of takers.</summary>
internal interface IWorkItemSource<T>
{
    /// <summary>Whether an item that was not finished survives the process: else it has to be drained, or become a dead letter, before the process ends.</summary>
    bool IsDurable { get; }

    /// <summary>Waits until there may be an item to take.</summary>
    /// <returns><see langword="false"/>: nothing will ever come again, and nothing is out that could be given back.</returns>
    ValueTask<bool> WaitAsync(CancellationToken cancellationToken);

    /// <summary>Takes an item: those that were given back first, then in order of arrival.</summary>
    bool TryTake(out WorkItem<T> item);

    /// <summary>The item is done with: processed, or in the dead letters. Once for each that was taken.</summary>
    void Complete(in WorkItem<T> item);

    /// <summary>The item was not finished: the next taker gets it. Once for each that was taken.</summary>
    void GiveBack(in WorkItem<T> item);
}

/// <summary>One item on its way.</summary>
/// <param name="Id">Its number within its source, in order of arrival.</param>
/// <param name="Value">The item.</param>
/// <param name="Attempts">How often it was tried before: kept when it is given back.</param>
internal readonly record struct WorkItem<T>(long Id, T Value, int Attempts);
