using ResilientHost.Hosting;

namespace ResilientHost.Caching;

/// <summary>What the caches of a host share. Immutable and thread-safe.</summary>
internal sealed record CacheServices(MonotonicClock Clock, CacheCodecs Codecs, CacheMetrics Metrics, CacheLog Log, Random Random);
