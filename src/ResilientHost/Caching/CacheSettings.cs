namespace ResilientHost.Caching;

/// <summary>What is in force for all caches.</summary>
/// <param name="Enabled">The suite's and the layer's kill switches.</param>
/// <param name="Default">For the cache without a name, and those that configuration does not name.</param>
/// <param name="Named">By name, without regard to case. Instances of names that did not change are those of the settings before.</param>
internal sealed record CacheSettings(bool Enabled, CacheOptions Default, IReadOnlyDictionary<string, CacheOptions> Named);
