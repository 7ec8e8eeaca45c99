using ResilientHost.Benchmarks.Simulations;
using ResilientHost.Bulkheads;
using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;

namespace ResilientHost.Benchmarks.Partitions;

/// <summary>A keyed breaker's circuits and a bulkhead's shares, made as the registries make them and asked as a request asks them: one text of the key for both, as where callers are told apart in the same way.</summary>
internal sealed class OurPartitions : IPartitions
{
    private const double IdleSeconds = 3;
    private readonly SimulatedTime _time = new();
    private readonly CircuitBreakerPartitions<string> _circuits;
    private readonly Bulkhead _bulkhead;
    private readonly FairShare _shares;

    public OurPartitions(int most)
    {
        var services = new CircuitServices(_time);
        var whole = new CircuitBreaker("benchmark", new CircuitBreakerOptions { PartitionBy = "User", MaxPartitions = most }, services);
        _circuits = new CircuitBreakerPartitions<string>(whole, whole.Policy, services, [], StringComparer.Ordinal);
        var policy = BulkheadPolicy.From("benchmark", new BulkheadOptions { MaxConcurrency = 64, PartitionBy = "User", MaxPartitions = most });
        var clock = new MonotonicClock(_time);
        _bulkhead = new Bulkhead("benchmark", policy, clock);
        _shares = new FairShare(_bulkhead, policy, clock);
    }

    public void Call(string key)
    {
        var circuit = _circuits.Get(key);
        if (!_shares.TryEnter(key, out var ticket, out _) || !_bulkhead.TryEnter(out var lease, out _) || !circuit.TryEnter(out var permit, out _))
        {
            throw new InvalidOperationException("There must be room.");
        }

        circuit.Exit(permit, CallOutcome.Succeeded);
        _bulkhead.Exit(lease, CallOutcome.Succeeded);
        FairShare.Exit(ticket);
    }

    public void Rest(IReadOnlyList<string> keys)
    {
        _time.Seconds += IdleSeconds;

        // Each call looks after a few of those that were there before it.
        for (var call = 0; call < keys.Count / 8; call++)
        {
            Call(keys[0]);
        }
    }

    /// <summary>So long that a call counts in another part of the circuit's window.</summary>
    public void PassBucket() => _time.Seconds += IdleSeconds + 0.5;
}
