namespace ResilientHost.Caching;

/// <summary>That a cache was added.</summary>
/// <param name="Name">Its name; <see langword="null"/>: the cache without one.</param>
internal sealed record CacheRegistration(string? Name);
