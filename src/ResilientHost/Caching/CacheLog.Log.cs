using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Caching;

internal sealed partial class CacheLog
{
    [LoggerMessage(EventIds.Caching, LogLevel.Warning, "The factory of a key of cache '{Cache}' failed; the value that was there is given out for as long as it may be.")]
    private partial void FirstFactoryFailed(Exception exception, string cache);

    [LoggerMessage(EventIds.Caching + 1, LogLevel.Warning, "{Count} more factories of caches failed in the last {Seconds} s while older values are given out.")]
    private partial void MoreFactoriesFailed(long count, double seconds);

    [LoggerMessage(EventIds.Caching + 2, LogLevel.Warning, "The distributed cache behind cache '{Cache}' failed; reads and writes go on without it.")]
    private partial void FirstDistributedFailed(Exception exception, string cache);

    [LoggerMessage(EventIds.Caching + 3, LogLevel.Warning, "Distributed caches failed {Count} more times in the last {Seconds} s.")]
    private partial void MoreDistributedFailed(long count, double seconds);

    [LoggerMessage(EventIds.Caching + 4, LogLevel.Warning, "The distributed cache behind cache '{Cache}' keeps failing and is left alone for a while.")]
    private partial void DistributedLeftAlone(string cache);

    [LoggerMessage(EventIds.Caching + 5, LogLevel.Information, "The distributed cache behind cache '{Cache}' answers again.")]
    private partial void DistributedBack(string cache);

    [LoggerMessage(EventIds.Caching + 6, LogLevel.Warning, "A value of cache '{Cache}' could not be serialized and is not kept: each read asks its factory. Mark its type immutable, or register a serializer for it.")]
    private partial void FirstNotKept(Exception exception, string cache);

    [LoggerMessage(EventIds.Caching + 7, LogLevel.Warning, "{Count} more values of caches could not be serialized or read in the last {Seconds} s.")]
    private partial void MoreNotKept(long count, double seconds);

    [LoggerMessage(EventIds.Caching + 8, LogLevel.Warning, "A value that cache '{Cache}' has as bytes, in memory or in the distributed cache, cannot be read back and counts as none. Its type may serialize and not deserialize: make it immutable, or register an IHybridCacheSerializer for it.")]
    private partial void FirstUnreadable(Exception? exception, string cache);

    [LoggerMessage(EventIds.Caching + 9, LogLevel.Warning, "The key filter of cache '{Cache}' threw; the key was let through.")]
    private partial void FirstFilterFailed(Exception exception, string cache);

    [LoggerMessage(EventIds.Caching + 10, LogLevel.Warning, "Key filters of caches threw {Count} more times in the last {Seconds} s.")]
    private partial void MoreFiltersFailed(long count, double seconds);

    [LoggerMessage(EventIds.Caching + 11, LogLevel.Warning, "Configuration has options for a cache '{Cache}', but none was added: call AddResilientCache with that name, or remove them.")]
    private partial void NameOfNoCache(string cache);
}
