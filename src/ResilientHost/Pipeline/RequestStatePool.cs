using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.ObjectPool;
using ResilientHost.Hosting;
using ResilientHost.Timeouts;

namespace ResilientHost.Pipeline;

/// <summary>Request states that wait for their next request. One that is not used again, or that the pool has no room for, is disposed.</summary>
internal sealed class RequestStatePool
{
    // Enough for the requests in flight of a busy service; beyond it states are made and dropped as before.
    private const int MaxRetained = 1024;

    private readonly ObjectPool<RequestState> _pool;

    public RequestStatePool(LayerGates gates, MonotonicClock clock, TimeoutMetrics timeoutMetrics, TimeoutLog timeoutLog) =>
        _pool = new DefaultObjectPoolProvider { MaximumRetained = MaxRetained }.Create(new Policy(() => new RequestState(gates, clock, timeoutMetrics, timeoutLog)));

    public RequestState Rent(HttpContext context, EndpointPlan plan, in Admission admission)
    {
        var state = _pool.Get();
        state.Begin(context, plan, admission);
        return state;
    }

    public void Return(RequestState state)
    {
        // A timer's thread, or whoever holds a token that was cancelled, may still look at one that timed out.
        if (!state.IsShared && !state.HasTimedOut)
        {
            state.End();
            _pool.Return(state);
        }
        else
        {
            state.Dispose();
        }
    }

    private sealed class Policy(Func<RequestState> create) : PooledObjectPolicy<RequestState>
    {
        public override RequestState Create() => create();

        public override bool Return(RequestState obj) => true;
    }
}
