using Microsoft.AspNetCore.OutputCaching;

namespace ResilientHost.Fallbacks;

/// <summary>Keeps stale responses where the output cache keeps its own, such as in a Redis that all replicas share.</summary>
/// <remarks>Thread-safe as its store is. The keys have a prefix, so that nothing of the one is taken for something of the other.</remarks>
internal sealed class OutputCacheStaleResponseStore(IOutputCacheStore store) : IStaleResponseStore
{
    public const string KeyPrefix = "resilient-host:stale:";

    public async ValueTask<StaleResponse?> GetAsync(string key, CancellationToken cancellationToken) =>
        await store.GetAsync(KeyPrefix + key, cancellationToken) is { } bytes ? StaleResponseFormat.Read(key, bytes) : null;

    public ValueTask SetAsync(string key, StaleResponse response, TimeSpan maxAge, CancellationToken cancellationToken) =>
        store.SetAsync(KeyPrefix + key, StaleResponseFormat.Write(key, response), tags: null, maxAge, cancellationToken);
}
