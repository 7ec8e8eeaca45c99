using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.ObjectPool;

namespace ResilientHost.Pipeline;

/// <summary>Request states that wait for their next request.</summary>
internal sealed class RequestStatePool
{
    // Enough for the requests in flight of a busy service; beyond it states are made and dropped as before.
    private const int MaxRetained = 1024;

    private readonly DefaultObjectPool<RequestState> _pool = new(new DefaultPooledObjectPolicy<RequestState>(), MaxRetained);

    public RequestState Rent(HttpContext context, EndpointPlan plan, in Admission admission)
    {
        var state = _pool.Get();
        state.Begin(context, plan, admission);
        return state;
    }

    public void Return(RequestState state)
    {
        if (!state.IsShared)
        {
            state.End();
            _pool.Return(state);
        }
    }
}
