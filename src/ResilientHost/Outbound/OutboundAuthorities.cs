using System.Collections.Concurrent;
using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>The authorities that one client calls. Bounded as its circuits are (<see cref="CircuitBreakerOptions.MaxPartitions"/>): they come and go together with them. Thread-safe.</summary>
internal sealed class OutboundAuthorities
{
    private readonly ConcurrentDictionary<AuthorityKey, OutboundAuthority> _known = new();
    private readonly CircuitBreakerPartitions<string> _circuits;
    private readonly BulkheadGroup _bulkheads;
    private readonly Func<RetryPolicy> _retry;
    private readonly MonotonicClock _clock;
    private volatile OutboundAuthority? _last;
    private OutboundAuthority? _other;

    public OutboundAuthorities(CircuitBreakerPartitions<string> circuits, BulkheadGroup bulkheads, Func<RetryPolicy> retry, MonotonicClock clock)
    {
        _circuits = circuits;
        _bulkheads = bulkheads;
        _retry = retry;
        _clock = clock;
    }

    /// <summary>Those known now; a copy, with the shared one if it was ever needed. Keeps nobody from adding one meanwhile.</summary>
    public IReadOnlyList<OutboundAuthority> All => [.. _known.Select(static pair => pair.Value), .. Volatile.Read(ref _other) is { } other ? [other] : Array.Empty<OutboundAuthority>()];

    /// <summary>How many are known now, the shared one not counted.</summary>
    public int Count => _known.Count;

    /// <summary>The authority of a URI: its own, made if need be, or the shared one when there is no room.</summary>
    public OutboundAuthority Of(Uri uri)
    {
        // Most clients call one authority: no hash is made for it. A call that found it before its eviction may write it here after that.
        if (_last is { IsEvicted: false } last && last.Key.Matches(uri))
        {
            last.Touch();
            return last;
        }

        var key = AuthorityKey.Of(uri);
        if (!_known.TryGetValue(key, out var known))
        {
            return Make(key);
        }

        known.Touch();
        _last = known;
        return known;
    }

    /// <summary>The authority of a URI, if it has one of its own.</summary>
    public OutboundAuthority? Find(Uri uri) => _known.GetValueOrDefault(AuthorityKey.Of(uri));

    /// <summary>Its circuit was given to another authority. Called under the circuits' lock.</summary>
    public void Forget(OutboundAuthority evicted)
    {
        _known.TryRemove(new(evicted.Key, evicted));
        _bulkheads.Remove(evicted.Bulkhead);
        if (_last == evicted)
        {
            _last = null;
        }
    }

    private OutboundAuthority Make(in AuthorityKey key) =>
        (OutboundAuthority?)_circuits.GetOrAddCompanion(key.ToString(), (Owner: this, Key: key), static (name, circuit, of) => of.Owner.Add(of.Key, name, circuit)) ?? Other();

    // Under the circuits' lock, as Forget: what is known is what has a circuit.
    private OutboundAuthority Add(in AuthorityKey key, string name, CircuitBreaker circuit)
    {
        var made = new OutboundAuthority(this, key, name, circuit, _bulkheads.Add(), new RetryBudget(_clock, _retry));
        _known[key] = made;
        return made;
    }

    private OutboundAuthority Other()
    {
        if (Volatile.Read(ref _other) is { } known)
        {
            return known;
        }

        lock (_known)
        {
            return _other ??= new OutboundAuthority(owner: null, default, OutboundClient.Shared, _circuits.Other, _bulkheads.Add(), new RetryBudget(_clock, _retry));
        }
    }
}
