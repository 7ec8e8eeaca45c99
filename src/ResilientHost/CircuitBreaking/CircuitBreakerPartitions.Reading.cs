using System.Diagnostics.CodeAnalysis;

using ResilientHost.CircuitBreaking;

namespace ResilientHost;

// What metrics and people see of the set.
public sealed partial class CircuitBreakerPartitions<TKey>
{
    /// <summary>The breaker that keys without one of their own share.</summary>
    internal CircuitBreaker Other => _other;

    /// <summary>Calls refused since construction, also by breakers that are no longer kept. Never goes down.</summary>
    internal long Refused
    {
        get
        {
            lock (_lock)
            {
                return _refusedByEvicted + _other.Refused + _ring.Sum(partition => partition.Breaker.Refused);
            }
        }
    }

    /// <summary>Calls since construction that Shadow let through in spite of the state, also of breakers that are no longer kept. Never goes down.</summary>
    internal long WouldHaveRefused
    {
        get
        {
            lock (_lock)
            {
                return _wouldHaveRefusedByEvicted + _other.WouldHaveRefused + _ring.Sum(partition => partition.Breaker.WouldHaveRefused);
            }
        }
    }

    /// <summary>Late results since construction, also of breakers that are no longer kept. Never goes down.</summary>
    internal long LateResults
    {
        get
        {
            lock (_lock)
            {
                return _lateForEvicted + _other.LateResults + _ring.Sum(partition => partition.Breaker.LateResults);
            }
        }
    }

    /// <summary>Makes what lives with a key's breaker, and that one if need be.</summary>
    /// <param name="key">The key.</param>
    /// <param name="state">Handed to <paramref name="make"/>.</param>
    /// <param name="make">Makes the companion; called under the set's lock.</param>
    /// <returns>The key's companion, the same one until the key is evicted; <see langword="null"/> when it has to share <see cref="Other"/>.</returns>
    internal IPartitionCompanion? GetOrAddCompanion<TState>(TKey key, TState state, Func<TKey, CircuitBreaker, TState, IPartitionCompanion> make) =>
        Add(key, state, make)?.Companion;

    /// <summary>Looks for a key's own breaker, and makes none. For people: it does not count as asking for it.</summary>
    internal bool TryGet(TKey key, [NotNullWhen(true)] out CircuitBreaker? breaker) => _partitions.TryGetValue(key, out breaker);

    /// <summary>Up to <paramref name="max"/> partitions that are not closed, in no particular order; without the shared one.</summary>
    /// <remarks>Takes no lock; looks at every partition where few are not closed. Keys are for the page that an operator is allowed to see.</remarks>
    internal IReadOnlyList<(TKey Key, CircuitBreaker Breaker)> NotClosed(int max)
    {
        var found = new List<(TKey, CircuitBreaker)>();
        foreach (var (key, breaker) in _partitions)
        {
            if (found.Count >= max)
            {
                break;
            }

            if (breaker.State != CircuitState.Closed)
            {
                found.Add((key, breaker));
            }
        }

        return found;
    }

    /// <summary>The worst state of any partition, the shared one counted. Takes no lock of the set's.</summary>
    internal CircuitState WorstState()
    {
        var worst = _other.State;
        foreach (var (_, breaker) in _partitions)
        {
            var state = breaker.State;
            worst = CircuitNames.RankOf(state) > CircuitNames.RankOf(worst) ? state : worst;
        }

        return worst;
    }

    /// <summary>The worst state of any partition, the shared one counted, and the calls in their windows. Takes no lock of the set's.</summary>
    internal (CircuitState Worst, long Calls) Glance()
    {
        var (worst, calls) = _other.Glance();
        foreach (var (_, breaker) in _partitions)
        {
            var (state, more) = breaker.Glance();
            worst = CircuitNames.RankOf(state) > CircuitNames.RankOf(worst) ? state : worst;
            calls += more;
        }

        return (worst, calls);
    }

    /// <summary>Whether any partition is open or isolated, the shared one not counted.</summary>
    internal bool IsAnyOpen()
    {
        foreach (var (_, breaker) in _partitions)
        {
            if (breaker.State is CircuitState.Open or CircuitState.Isolated)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How many partitions are in each state, the shared one not counted.</summary>
    internal int[] CountStates()
    {
        var counts = new int[(int)CircuitState.Isolated + 1];
        foreach (var (_, breaker) in _partitions)
        {
            counts[(int)breaker.State]++;
        }

        return counts;
    }
}
