namespace ResilientHost;

/// <summary>Where the last good responses are kept for stale fallbacks.</summary>
/// <remarks>
/// The one that comes with the suite keeps them in memory, bounded by <see cref="FallbackOptions.MaxStaleStoreBytes"/>. Register another as a singleton to share them between replicas. An implementation MUST be
/// thread-safe and bounded; it MAY forget an entry at any time; it SHOULD return soon, and MAY throw: reads are made under the fallback's timeout, writes off the request's path, and neither can fail a request.
/// </remarks>
public interface IStaleResponseStore
{
    /// <summary>The response kept under a key.</summary>
    /// <param name="key">The key: printable, of any length, and a secret of nobody.</param>
    /// <param name="cancellationToken">Cancelled when the fallback's time is up.</param>
    /// <returns>The response; <see langword="null"/> when there is none.</returns>
    ValueTask<StaleResponse?> GetAsync(string key, CancellationToken cancellationToken);

    /// <summary>Keeps a response under a key, in place of the one before.</summary>
    /// <param name="key">The key.</param>
    /// <param name="response">The response.</param>
    /// <param name="maxAge">After this time it is of no more use.</param>
    /// <param name="cancellationToken">Cancelled when the application stops, or the write takes too long.</param>
    ValueTask SetAsync(string key, StaleResponse response, TimeSpan maxAge, CancellationToken cancellationToken);
}
