using System.Collections.Concurrent;

namespace ResilientHost.Tests.Fallbacks;

/// <summary>A store that is not ours.</summary>
internal sealed class DictionaryStore : IStaleResponseStore
{
    public ConcurrentDictionary<string, StaleResponse> Entries { get; } = new();

    public ValueTask<StaleResponse?> GetAsync(string key, CancellationToken cancellationToken) => new(Entries.GetValueOrDefault(key));

    public ValueTask SetAsync(string key, StaleResponse response, TimeSpan maxAge, CancellationToken cancellationToken)
    {
        Entries[key] = response;
        return ValueTask.CompletedTask;
    }
}

/// <summary>A store that does as a test says.</summary>
internal sealed class ScriptedStore(Func<CancellationToken, Task<StaleResponse?>> get, Func<StaleResponse, CancellationToken, Task>? set = null) : IStaleResponseStore
{
    private int _gets;

    public int Gets => Volatile.Read(ref _gets);

    public ValueTask<StaleResponse?> GetAsync(string key, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _gets);
        return new(get(cancellationToken));
    }

    public ValueTask SetAsync(string key, StaleResponse response, TimeSpan maxAge, CancellationToken cancellationToken) =>
        set is null ? ValueTask.CompletedTask : new(set(response, cancellationToken));
}
