using Microsoft.Extensions.ObjectPool;

namespace ResilientHost.Outbound;

/// <summary>Calls that wait for their next use, with nothing of their last one in them. Thread-safe.</summary>
/// <remarks>Each thread keeps one back: what is answered at once gives its call back where it was taken, and the word of a pool that all cores share is one that they take from one another. What a thread keeps may come back as a call of another host's: a call has nothing of its host.</remarks>
internal sealed class OutboundCalls
{
    // As many as wait for their answers at a time in a busy service; beyond it calls are made and dropped.
    private const int Kept = 256;

    [ThreadStatic]
    private static OutboundCall? _spare;

    private readonly DefaultObjectPool<OutboundCall> _pool = new(new Policy(), Kept);

    /// <summary>One in which nothing is set.</summary>
    public OutboundCall Rent()
    {
        var spare = _spare;
        if (spare is null)
        {
            return _pool.Get();
        }

        _spare = null;
        return spare;
    }

    /// <summary>Ends the use of a call, once. One that somebody keeps stays as it is.</summary>
    public void Return(OutboundCall call)
    {
        if (call.IsKept)
        {
            // Whoever keeps it must not keep the caller's answer alive with it.
            call.Answer = null;
            call.Follow(default);
            return;
        }

        call.Clear();
        if (_spare is null)
        {
            _spare = call;
        }
        else
        {
            _pool.Return(call);
        }
    }

    private sealed class Policy : IPooledObjectPolicy<OutboundCall>
    {
        public OutboundCall Create() => new();

        public bool Return(OutboundCall obj) => true;
    }
}
