using Microsoft.Extensions.ObjectPool;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>Sources of the tokens that end attempts. Thread-safe.</summary>
internal sealed class AttemptCancellations(MonotonicClock clock)
{
    private const int Kept = 256;

    // Only the system's timers can be taken back with certainty; a source of other ones is used once.
    private readonly ObjectPool<CancellationTokenSource>? _pool =
        clock.IsSystem ? new DefaultObjectPool<CancellationTokenSource>(new Policy(), Kept) : null;

    public CancellationTokenSource Rent() => _pool?.Get() ?? new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock.Provider);

    /// <summary>Ends the use of a source; nothing may cancel it any more but its own timer.</summary>
    /// <param name="source">What <see cref="Rent"/> gave.</param>
    /// <param name="isForgotten">Whether nobody can have kept its token: a body that is still being sent does.</param>
    public void Return(CancellationTokenSource source, bool isForgotten)
    {
        if (isForgotten && _pool is not null && source.TryReset())
        {
            _pool.Return(source);
        }
        else
        {
            source.Dispose();
        }
    }

    /// <summary>Arms a source; never earlier than asked, as timers count whole milliseconds.</summary>
    public static void Arm(CancellationTokenSource source, TimeSpan after)
    {
        if (after != TimeSpan.MaxValue)
        {
            source.CancelAfter(TimeSpan.FromMilliseconds(Math.Ceiling(after.TotalMilliseconds)));
        }
    }

    /// <summary>Cancels a source when a token is; as a callback of <see cref="CancellationToken.UnsafeRegister(Action{object?}, object?)"/>.</summary>
    public static readonly Action<object?> Cancel = static source => ((CancellationTokenSource)source!).Cancel();

    private sealed class Policy : IPooledObjectPolicy<CancellationTokenSource>
    {
        public CancellationTokenSource Create() => new();

        public bool Return(CancellationTokenSource obj) => true;
    }
}
