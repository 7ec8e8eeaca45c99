using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.ObjectPool;
using ResilientHost.Hosting;
using ResilientHost.Timeouts;

namespace ResilientHost.Pipeline;

/// <summary>Request states that wait for their next request. One that is not used again, or that the pool has no room for, is disposed.</summary>
/// <remarks>
/// Thread-safe. Each thread keeps one back: an endpoint that completes at once gives its state back where it was taken, and the word of a pool that is shared by all
/// cores, exchanged twice for each request, is one that they take from one another. What a thread keeps of a host that is gone it lets go of when it serves another's request.
/// </remarks>
internal sealed class RequestStatePool : IDisposable
{
    // Enough for the requests in flight of a busy service; beyond it states are made and dropped as before.
    private const int MaxRetained = 1024;

    // Where a process runs several hosts, the first one's on this thread has the place; the others do without.
    [ThreadStatic]
    private static RequestState? _spare;

    private readonly ObjectPool<RequestState> _pool;
    private volatile bool _isDisposed;

    public RequestStatePool(LayerGates gates, MonotonicClock clock, TimeoutMetrics timeoutMetrics, TimeoutLog timeoutLog) =>
        _pool = new DefaultObjectPoolProvider { MaximumRetained = MaxRetained }.Create(new Policy(() => new RequestState(gates, clock, timeoutMetrics, timeoutLog) { Pool = this }));

    public RequestState Rent(HttpContext context, EndpointPlan plan, in Admission admission)
    {
        var state = _spare;
        if (state is not null && ReferenceEquals(state.Pool, this))
        {
            _spare = null;
        }
        else
        {
            LetGoOfGone(state);
            state = _pool.Get();
        }

        state.Begin(context, plan, admission);
        return state;
    }

    public void Return(RequestState state)
    {
        // A timer's thread, or whoever holds a token that was cancelled, may still look at one that timed out.
        if (_isDisposed || state.IsShared || state.HasTimedOut)
        {
            state.Dispose();
            return;
        }

        state.End();
        if (_spare is null)
        {
            _spare = state;
        }
        else
        {
            _pool.Return(state);
        }
    }

    /// <summary>Gives the places that threads keep up to the next host's.</summary>
    public void Dispose() => _isDisposed = true;

    private static void LetGoOfGone(RequestState? spare)
    {
        if (spare is { Pool._isDisposed: true })
        {
            _spare = null;
            spare.Dispose();
        }
    }

    private sealed class Policy(Func<RequestState> create) : PooledObjectPolicy<RequestState>
    {
        public override RequestState Create() => create();

        public override bool Return(RequestState obj) => true;
    }
}
