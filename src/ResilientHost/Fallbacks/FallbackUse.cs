using ResilientHost.Telemetry;

namespace ResilientHost.Fallbacks;

/// <summary>What an endpoint's fallbacks are doing and have done: the limits on them and their counts.</summary>
/// <remarks>Thread-safe. One per endpoint key, whose endpoint may be built anew while the application runs.</remarks>
internal sealed class FallbackUse
{
    private readonly Lock _gate = new();
    private FallbackPolicy _applied;
    private long _handlerServed;
    private long _staleServed;
    private long _failed;
    private CircuitBreaker? _circuitBreaker;

    public FallbackUse(string endpoint, FallbackPolicy policy, TimeProvider time)
    {
        (Endpoint, _applied) = (endpoint, policy);
        Handler = new(endpoint, OptionsOf(policy), time);
        Stale = new(endpoint, OptionsOf(policy), time);
    }

    /// <summary>The endpoint's key.</summary>
    public string Endpoint { get; }

    /// <summary>The endpoint's circuit; <see langword="null"/> without one, and until it is known.</summary>
    public CircuitBreaker? CircuitBreaker
    {
        get => Volatile.Read(ref _circuitBreaker);
        set => Volatile.Write(ref _circuitBreaker, value);
    }

    /// <summary>Bounds the runs of the endpoint's own fallback.</summary>
    public Bulkhead Handler { get; }

    /// <summary>Bounds the lookups of responses: a store that hangs holds that many requests and no more.</summary>
    public Bulkhead Stale { get; }

    public long HandlerServed => Interlocked.Read(ref _handlerServed);

    public long StaleServed => Interlocked.Read(ref _staleServed);

    /// <summary>Fallbacks that gave no answer; a response that was never kept is none.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    public int InFlight => Handler.Snapshot().InFlight + Stale.Snapshot().InFlight;

    public void CountServed(string kind) =>
        Interlocked.Increment(ref kind == ResilienceDiagnostics.FallbackTagValues.Stale ? ref _staleServed : ref _handlerServed);

    public void CountFailed() => Interlocked.Increment(ref _failed);

    /// <summary>Follows a reload: called where a fallback is about to run, off the way of requests that succeed.</summary>
    public void Apply(FallbackPolicy policy)
    {
        if (ReferenceEquals(Volatile.Read(ref _applied), policy))
        {
            return;
        }

        lock (_gate)
        {
            if (_applied.MaxConcurrency != policy.MaxConcurrency)
            {
                Handler.Apply(OptionsOf(policy));
                Stale.Apply(OptionsOf(policy));
            }

            Volatile.Write(ref _applied, policy);
        }
    }

    private static BulkheadOptions OptionsOf(FallbackPolicy policy) => new() { MaxConcurrency = policy.MaxConcurrency };
}
