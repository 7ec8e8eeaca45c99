using ResilientHost.Hosting;
using ResilientHost.Recovery;

namespace ResilientHost.Workers;

/// <summary>Whether the process has contained an exception that nothing had caught: state may be half changed, locks may be held for ever. Never heals; thread-safe.</summary>
internal sealed class InstanceTaint(MonotonicClock clock)
{
    private readonly Lock _gate = new();
    private long _count;
    private DateTimeOffset? _since;
    private string? _lastType;

    public bool IsTainted => Count > 0;

    /// <summary>How many were contained.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>When the first one was; <see langword="null"/> if none was.</summary>
    public DateTimeOffset? Since
    {
        get
        {
            lock (_gate)
            {
                return _since;
            }
        }
    }

    /// <summary>Type of the last one.</summary>
    public string? LastType => Volatile.Read(ref _lastType);

    public void Add(Exception exception)
    {
        lock (_gate)
        {
            _since ??= clock.UtcNow;
            _lastType = TypeNames.Of(exception);
            _count++;
        }
    }
}
