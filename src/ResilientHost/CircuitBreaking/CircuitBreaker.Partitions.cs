using ResilientHost.CircuitBreaking;

namespace ResilientHost;

// The breaker as the whole of a keyed one: calls go to its partitions, people speak to it.
public sealed partial class CircuitBreaker
{
    /// <summary>A breaker for each caller instead of this one; <see langword="null"/> while nobody is told apart. Set by the registry.</summary>
    internal CircuitBreakerPartitions<string>? Partitions
    {
        get => Volatile.Read(ref _partitions);
        set => SetPartitions(value);
    }

    /// <summary>Moves another breaker into the state of this one, when that is one for people to end or will end by itself.</summary>
    internal void BringAlong(CircuitBreaker other)
    {
        var now = _services.Clock.CoarseTimestamp();
        var era = Observe(now);
        if (era.State == CircuitState.Isolated)
        {
            other.IsolateAlone();
        }
        else if (RemainingBreak(era, now) is { } left && left > TimeSpan.Zero)
        {
            other.ForceOpenAlone(left);
        }
    }

    /// <summary>Tells a partition's change to whoever listens to this breaker, but for the registry's own listeners.</summary>
    internal void Relay(CircuitTransition transition)
    {
        foreach (var listener in Volatile.Read(ref _listeners))
        {
            if (!listener.IsOfHost)
            {
                listener.Enqueue(transition);
            }
        }
    }

    /// <summary>Adds a listener of the registry's own.</summary>
    internal void ListenForHost(Action<CircuitTransition> handler)
    {
        lock (_lock)
        {
            _listeners = [.. _listeners, new CircuitListener(handler, _services, isOfHost: true)];
        }
    }

    private void ForAll(Action<CircuitBreaker> move)
    {
        if (Partitions is { } partitions)
        {
            partitions.MoveAll(move);
        }
        else
        {
            move(this);
        }
    }

    private void SetPartitions(CircuitBreakerPartitions<string>? partitions)
    {
        var before = Interlocked.Exchange(ref _partitions, partitions);
        if (before is not null && before != partitions)
        {
            // Totals outlive the set. Outside of the lock: a set that moves all takes its own before this one.
            Tally().Add(before.Refused, before.WouldHaveRefused, before.LateResults);
        }

        var now = _services.Clock.CoarseTimestamp();
        lock (_lock)
        {
            ElapseUnderLock(now);
            CloseIfNobodyProbesUnderLock(now);
        }
    }

    // Calls go to the partitions, each of which is probed by its own.
    private void CloseIfNobodyProbesUnderLock(long now)
    {
        if (_partitions is not null && _machine.Era.State == CircuitState.HalfOpen)
        {
            PublishUnderLock(_machine.Reset(now), now);
        }
    }
}
