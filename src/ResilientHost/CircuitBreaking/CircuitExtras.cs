using ResilientHost.History;

namespace ResilientHost.CircuitBreaking;

/// <summary>What most circuits, and nearly all of a keyed breaker's, never need: made when there is a first change of state, something to count, or someone who listens.</summary>
internal sealed class CircuitExtras
{
    private CircuitListener[] _listeners = [];
    private CircuitBreakerPartitions<string>? _partitions;
    private CircuitTally? _tally;
    private volatile CallWatch? _watch;

    /// <summary>Held by whoever moves the circuit.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Who listens to this breaker alone. Written under <see cref="Gate"/>.</summary>
    public CircuitListener[] Listeners
    {
        get => Volatile.Read(ref _listeners);
        set => Volatile.Write(ref _listeners, value);
    }

    public CircuitBreakerPartitions<string>? Partitions => Volatile.Read(ref _partitions);

    /// <summary>What lives with the breaker, where that is a partition. Needs the lock of the set.</summary>
    public IPartitionCompanion? Companion { get; set; }

    public CallWatch? Watch
    {
        get => _watch;
        set => _watch = value;
    }

    /// <summary>What was counted; <see langword="null"/> while that is nothing.</summary>
    public CircuitTally? Counted => Volatile.Read(ref _tally);

    /// <summary>Where to count. An object of its own: refusals write there, while every call may read what is here.</summary>
    public CircuitTally Tally()
    {
        if (Counted is { } known)
        {
            return known;
        }

        var made = new CircuitTally();
        return Interlocked.CompareExchange(ref _tally, made, null) ?? made;
    }

    /// <returns>The set before.</returns>
    public CircuitBreakerPartitions<string>? ExchangePartitions(CircuitBreakerPartitions<string>? partitions) => Interlocked.Exchange(ref _partitions, partitions);
}
