using System.Collections.Concurrent;
using System.Runtime.InteropServices;

using ResilientHost.CircuitBreaking;

namespace ResilientHost;

/// <summary>One circuit breaker for each key (tenant, authority), with the same options and a bounded number.</summary>
/// <typeparam name="TKey">The key.</typeparam>
/// <remarks>
/// <para>
/// Thread-safe; looking up a known key takes no lock, and with all places taken no look-up waits for another's search. At most <see cref="CircuitBreakerOptions.MaxPartitions"/> breakers are
/// kept. A new key beyond that takes the place of an idle one: closed, not asked for since the last look, and with an empty
/// window (by count: unused for <see cref="CircuitBreakerOptions.SamplingDuration"/>). Where none is found, or another key is searching at that moment, the key shares the breaker
/// <c>name[other]</c>, and gets its own at a later look-up. Open, half-open and isolated partitions are never evicted.
/// </para>
/// <para>
/// Ask for the breaker anew for each call rather than keep it: a breaker that was evicted still works, but nobody else sees
/// it. Victims are found as a clock's hand goes round (second chance), a few at a time, so no look-up pays for a sweep.
/// </para>
/// </remarks>
public sealed partial class CircuitBreakerPartitions<TKey>
    where TKey : notnull
{
    private const int LooksPerMiss = 16;

    private readonly CircuitServices _services;
    private readonly ConcurrentDictionary<TKey, CircuitBreaker> _partitions;
    private readonly List<Partition> _ring = [];
    private readonly Lock _lock = new();
    private readonly CircuitBreaker _other;
    private readonly CircuitBreaker? _whole;
    private readonly CircuitFamily? _family;
    private volatile CircuitPolicy _policy;
    private volatile bool _isSearching;
    private int _hand;
    private long _refusedByEvicted;
    private long _wouldHaveRefusedByEvicted;
    private long _lateForEvicted;

    /// <summary>Makes an empty set.</summary>
    /// <param name="name">Name of the set; its breakers are called <c>name[key]</c>.</param>
    /// <param name="options">Options of every breaker; copied.</param>
    /// <param name="timeProvider">The clock; null is the system's.</param>
    /// <param name="comparer">How keys are told apart; null is the default.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or empty.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The options are invalid; tells every error.</exception>
    public CircuitBreakerPartitions(
        string name,
        CircuitBreakerOptions options,
        TimeProvider? timeProvider = null,
        IEqualityComparer<TKey>? comparer = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(options);
        Name = name;
        _services = new CircuitServices(timeProvider);
        _policy = CircuitPolicy.Create(name, options, _services.Clock);
        _partitions = new ConcurrentDictionary<TKey, CircuitBreaker>(comparer);
        _other = new CircuitBreaker($"{name}[other]", _policy, _services);
    }

    /// <summary>Makes the set of a registry's breaker. Its breakers are called like that one, for their names reach logs, metrics and callers, and keys must not.</summary>
    /// <param name="whole">The breaker; while it is not closed new keys share one circuit, which it moves along with the others.</param>
    /// <param name="policy">What every breaker goes by.</param>
    /// <param name="services">What the registry's breakers share.</param>
    /// <param name="listeners">What every breaker tells its changes to.</param>
    /// <param name="comparer">How keys are told apart.</param>
    internal CircuitBreakerPartitions(
        CircuitBreaker whole,
        CircuitPolicy policy,
        CircuitServices services,
        CircuitListener[] listeners,
        IEqualityComparer<TKey>? comparer = null)
    {
        Name = whole.Name;
        _whole = whole;
        _policy = policy;
        _services = services;
        _family = new CircuitFamily(whole.Name, services, listeners);
        _partitions = new ConcurrentDictionary<TKey, CircuitBreaker>(comparer);
        _other = new CircuitBreaker(_family, policy);
        whole.BringAlong(_other);
    }

    /// <summary>Name of the set.</summary>
    public string Name { get; }

    /// <summary>Breakers kept now, the shared one not counted.</summary>
    public int Count => _partitions.Count;

    /// <summary>The breaker of a key, made if need be.</summary>
    /// <param name="key">The key.</param>
    /// <returns>The key's own breaker, or the shared one when there is no room.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    public CircuitBreaker Get(TKey key)
    {
        if (!_partitions.TryGetValue(key, out var breaker))
        {
            return Add<object?>(key, state: null, static (_, _, _) => null) ?? _other;
        }

        breaker.Ask();
        return breaker;
    }

    /// <summary>Goes by other options from now on, in every partition; see <see cref="CircuitBreaker.Apply(CircuitBreakerOptions)"/>.</summary>
    /// <param name="options">The new options; copied. A smaller bound evicts nothing by itself.</param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The options are invalid; nothing is changed.</exception>
    public void Apply(CircuitBreakerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Apply(CircuitPolicy.Create(Name, options, _services.Clock));
    }

    internal void Apply(CircuitPolicy policy)
    {
        lock (_lock)
        {
            _policy = policy;
            _other.Apply(policy);
            foreach (var partition in _ring)
            {
                partition.Breaker.Apply(policy);
            }
        }
    }

    /// <summary>Moves the whole breaker and every partition by hand, so that two operators at once leave all in one state.</summary>
    internal void MoveAll(Action<CircuitBreaker> move)
    {
        lock (_lock)
        {
            if (_whole is not null)
            {
                move(_whole);
            }

            move(_other);
            foreach (var partition in _ring)
            {
                move(partition.Breaker);
            }
        }
    }

    // What is forced on all holds for keys that come meanwhile, and a flood of them must not fill the places with circuits that are not closed.
    private bool MakesPartitions => _whole is null || _whole.State == CircuitState.Closed;

    private CircuitBreaker Make(TKey key) => _family is null ? new CircuitBreaker($"{Name}[{key}]", _policy, _services) : new CircuitBreaker(_family, _policy);

    /// <returns>The key's breaker; <see langword="null"/> when it has to share the other one.</returns>
    private CircuitBreaker? Add<TState>(TKey key, TState state, Func<TKey, CircuitBreaker, TState, IPartitionCompanion?> makeCompanion)
    {
        if (!MakesPartitions)
        {
            return null;
        }

        if (!_lock.TryEnter())
        {
            // It is a matter of luck whether a place becomes free: not worth waiting for. Unless the key has been added meanwhile.
            if (_isSearching && !_partitions.ContainsKey(key))
            {
                return null;
            }

            _lock.Enter();
        }

        try
        {
            if (_partitions.TryGetValue(key, out var known))
            {
                known.Companion ??= makeCompanion(key, known, state);
                return known;
            }

            // Again, for a hand that moves all moves none that is made after it went by.
            if (!MakesPartitions)
            {
                return null;
            }

            _isSearching = _ring.Count >= _policy.MaxPartitions;
            var place = _isSearching ? FindIdle() : _ring.Count;
            if (place < 0)
            {
                return null;
            }

            var breaker = Make(key);
            breaker.Companion = makeCompanion(key, breaker, state);
            if (place == _ring.Count)
            {
                _ring.Add(new Partition(key, breaker));
            }
            else
            {
                var (evictedKey, evicted) = _ring[place];
                _partitions.TryRemove(evictedKey, out _);
                _refusedByEvicted += evicted.Refused;
                _wouldHaveRefusedByEvicted += evicted.WouldHaveRefused;
                _lateForEvicted += evicted.LateResults;
                evicted.Companion?.Evicted();
                _ring[place] = new Partition(key, breaker);
            }

            _partitions[key] = breaker;
            return breaker;
        }
        finally
        {
            _isSearching = false;
            _lock.Exit();
        }
    }

    /// <summary>Moves the hand a few places on, up to one that may be given away.</summary>
    private int FindIdle()
    {
        var now = _services.Clock.CoarseTimestamp();
        for (var looks = Math.Min(LooksPerMiss, _ring.Count); looks > 0; looks--)
        {
            var place = _hand % _ring.Count;
            _hand = place + 1;
            var breaker = _ring[place].Breaker;

            // A second chance: whoever asked a moment ago may be about to enter.
            if (breaker.TakeRest(now) is { } rest && breaker.IsIdle(now, rest) && breaker.Companion is not { IsIdle: false })
            {
                return place;
            }
        }

        return -1;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Partition(TKey Key, CircuitBreaker Breaker);
}
