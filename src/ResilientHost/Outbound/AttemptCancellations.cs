using Microsoft.Extensions.ObjectPool;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>Sources of the tokens that end attempts. Thread-safe.</summary>
internal sealed class AttemptCancellations(MonotonicClock clock)
{
    private const int Kept = 256;

    // What is answered at once gives its source back where it was taken. All hosts on the system's time can use the same ones.
    [ThreadStatic]
    private static AttemptCancellation? _spare;

    // The provider's pool disposes what it has no room for: a timer that is armed still would keep it alive until then. A source of other time than the system's
    // is used once: its timer would stay armed, and tests count the timers of a clock of theirs.
    private readonly ObjectPool<AttemptCancellation>? _pool =
        clock.IsSystem ? new DefaultObjectPoolProvider { MaximumRetained = Kept }.Create(new Policy(clock)) : null;

    public CancellationTokenSource Rent()
    {
        if (_pool is null)
        {
            return new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock.Provider);
        }

        var spare = _spare;
        if (spare is null)
        {
            return _pool.Get();
        }

        _spare = null;
        return spare;
    }

    /// <summary>Ends the use of a source; nothing may cancel it any more but its own timer.</summary>
    /// <param name="source">What <see cref="Rent"/> gave.</param>
    /// <param name="isForgotten">Whether nobody can have kept its token: a body that is still being sent does.</param>
    public void Return(CancellationTokenSource source, bool isForgotten)
    {
        if (!isForgotten || source is not AttemptCancellation cancellation || !cancellation.TryEnd())
        {
            source.Dispose();
        }
        else if (_spare is null)
        {
            _spare = cancellation;
        }
        else
        {
            _pool!.Return(cancellation);
        }
    }

    /// <summary>Gives a source that was rented its deadline, or another one; never earlier than asked.</summary>
    /// <param name="source">What <see cref="Rent"/> gave.</param>
    /// <param name="deadline">As a timestamp; <see cref="long.MaxValue"/>: none.</param>
    /// <param name="now">The timestamp since when it counts.</param>
    public void Arm(CancellationTokenSource source, long deadline, long now)
    {
        if (source is AttemptCancellation cancellation)
        {
            cancellation.Arm(deadline);
        }
        else if (deadline != long.MaxValue)
        {
            Arm(source, clock.Elapsed(now, deadline));
        }
    }

    /// <summary>Arms any other source; never earlier than asked, as timers count whole milliseconds.</summary>
    public static void Arm(CancellationTokenSource source, TimeSpan after)
    {
        if (after != TimeSpan.MaxValue)
        {
            source.CancelAfter(TimeSpan.FromMilliseconds(Math.Ceiling(after.TotalMilliseconds)));
        }
    }

    /// <summary>Cancels a source when a token is; as a callback of <see cref="CancellationToken.UnsafeRegister(Action{object?}, object?)"/>.</summary>
    public static readonly Action<object?> Cancel = static source => ((CancellationTokenSource)source!).Cancel();

    private sealed class Policy(MonotonicClock clock) : IPooledObjectPolicy<AttemptCancellation>
    {
        public AttemptCancellation Create() => new(clock);

        public bool Return(AttemptCancellation obj) => true;
    }
}
