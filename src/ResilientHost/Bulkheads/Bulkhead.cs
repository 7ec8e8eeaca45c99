using System.Runtime.CompilerServices;
using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>Bounds how many calls are inside something at once, so that one slow thing cannot take every thread, socket and byte.</summary>
/// <remarks>
/// <para>Thread-safe. With room, entering and leaving take no lock and allocate nothing, but for making place when more calls than
/// ever before are inside. A call that finds no room is refused, or waits in a
/// bounded queue (<see cref="EnterAsync"/>). Nobody overtakes those who wait: while there are any, <see cref="TryEnter"/> is refused
/// in either order of the queue, and a permit that comes free goes to a waiter.</para>
/// <para>A lease is held until the work really ends, also when its caller has long gone; ending it twice, from whatever thread, does nothing.</para>
/// </remarks>
public sealed partial class Bulkhead
{
    private readonly MonotonicClock _clock;
    private readonly BulkheadTelemetry? _telemetry;
    private readonly Func<double>? _random;
    private volatile BulkheadPolicy _policy;
    private volatile BulkheadQueue? _queue;
    private FairShare? _shares;
    private PermitPool _permits;
    private volatile LearnedLimit? _learned;
    private long _refusedFull;

    /// <summary>Creates a bulkhead.</summary>
    /// <param name="name">Its name, shown in refusals and telemetry.</param>
    /// <param name="options">Its options; copied, later changes come by <see cref="Apply(BulkheadOptions)"/>.</param>
    /// <param name="timeProvider">Source of time and timers; the system's when <see langword="null"/>.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The options are invalid; carries every error.</exception>
    public Bulkhead(string name, BulkheadOptions options, TimeProvider? timeProvider = null)
        : this(name, BulkheadPolicy.From(name, options), new MonotonicClock(timeProvider))
    {
    }

    /// <summary>Creates a bulkhead that shares its policy and clock; <paramref name="random"/> gives numbers in [0, 1) for tests.</summary>
    internal Bulkhead(string name, BulkheadPolicy policy, MonotonicClock clock, BulkheadTelemetry? telemetry = null, Func<double>? random = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        _policy = policy;
        _clock = clock;
        _learned = LearnedLimit.For(policy, previous: null, clock);
        _permits = new PermitPool(this, _learned?.Value ?? policy.Limit, policy.Mode == BulkheadMode.Disabled, _learned is not null);
        _telemetry = telemetry;
        _random = random;
    }

    /// <summary>The name given at construction.</summary>
    public string Name { get; }

    /// <summary>Whether nobody is inside or waits.</summary>
    internal bool IsIdle => _permits.Out == 0 && (_queue?.Count ?? 0) == 0;

    /// <summary>Whether a call that finds no room would wait.</summary>
    internal bool CanQueue => _policy.CanQueue;

    internal BulkheadPolicy Policy => _policy;

    /// <summary>Calls that may be inside at present.</summary>
    internal int Limit => _permits.Limit;

    /// <summary>Divides the room among callers; <see langword="null"/> while nobody is told apart. Set by the registry.</summary>
    internal FairShare? Shares
    {
        get => Volatile.Read(ref _shares);
        set => Volatile.Write(ref _shares, value);
    }

    /// <summary>Refusals because there was no room, since construction.</summary>
    internal long RefusedFull => Interlocked.Read(ref _refusedFull);

    /// <summary>Refusals after waiting for as long as allowed, since construction.</summary>
    internal long RefusedTimeout => _queue is { } queue ? Interlocked.Read(ref queue.TimedOut) : 0;

    /// <summary>Calls that Shadow admitted although there was no room, since construction.</summary>
    internal long ShadowRefused => _queue is { } queue ? Interlocked.Read(ref queue.ShadowRefused) : 0;

    /// <summary>Enters if there is room and nobody waits. Never waits.</summary>
    /// <param name="lease">What to end with <see cref="Exit"/> once the work has ended; default when refused.</param>
    /// <param name="refusal">
    /// Why not: <see cref="RefusalReason.BulkheadFull"/>, with a hint when to come back that differs from call to call; default when admitted.
    /// </param>
    /// <returns><see langword="true"/> when admitted.</returns>
    public bool TryEnter(out BulkheadLease lease, out Refusal refusal)
    {
        if (TryEnterUncounted(out lease))
        {
            refusal = default;
            return true;
        }

        Refuse(RefusalReason.BulkheadFull, out refusal);
        return false;
    }

    /// <summary>Enters if there is room; else waits in the queue, if there is one, in the order that the options say.</summary>
    /// <param name="cancellationToken">Ends the wait. A token already cancelled throws also when there is room.</param>
    /// <returns>
    /// The admission with its lease, or the refusal: <see cref="RefusalReason.BulkheadFull"/> when the queue is full, or
    /// <see cref="RefusalReason.QueueTimeout"/>. To be awaited once, as any <see cref="ValueTask{TResult}"/>. Completes at once, without an
    /// allocation, unless the call waits; after waiting, the continuation never runs on the stack of the call that made room.
    /// </returns>
    /// <exception cref="OperationCanceledException">The token was cancelled before the call was admitted. Nothing is held.</exception>
    public ValueTask<BulkheadAdmission> EnterAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Cancelled(cancellationToken);
        }

        if (TryEnterUncounted(out var lease))
        {
            return new(new BulkheadAdmission(IsAdmitted: true, lease, default));
        }

        return CanQueue ? Wait(cancellationToken) : new(Refused(RefusalReason.BulkheadFull));
    }

    /// <summary>Ends a lease and lets the next waiter in. A default lease, one already ended, or another bulkhead's does nothing.</summary>
    /// <param name="lease">What entering gave.</param>
    /// <param name="outcome">How the call ended: what an adaptive limit learns from. A fixed limit does not depend on it.</param>
    public void Exit(in BulkheadLease lease, CallOutcome outcome)
    {
        if (lease.Slot is { } slot && ReferenceEquals(slot.Owner, this))
        {
            var start = slot.Start;
            if (slot.TryEnd(lease.Generation) && _permits.Freed(slot) is var watching and not 0)
            {
                Left(slot, watching, start, outcome);
            }
        }
    }

    /// <summary>Calls inside.</summary>
    internal int InFlight => _permits.Out;

    /// <summary>Reads the present values.</summary>
    /// <returns>Limit, calls inside and waiting, refusals.</returns>
    public BulkheadSnapshot Snapshot() => new()
    {
        Limit = Limit,
        InFlight = _permits.Out,
        Queued = _queue?.Count ?? 0,
        Refused = RefusedFull + RefusedTimeout,
    };

    /// <summary>Enters as <see cref="TryEnter"/> does, but a "no" is not counted as a refusal: for a caller that would wait or gives another answer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryEnterUncounted(out BulkheadLease lease) =>
        _permits.TryTake(out lease) ? !_permits.IsContended || Keep(ref lease) : TryEnterSlowly(out lease);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryEnterSlowly(out BulkheadLease lease)
    {
        lease = default;
        var refusing = _permits.IsRefusing;
        var mode = _policy.Mode;
        if (mode == BulkheadMode.Disabled)
        {
            return true;
        }

        // The flags are exact, so a flood of calls that find no room costs a look each and keeps no one who leaves from the lock.
        if (refusing && mode == BulkheadMode.Enforce)
        {
            return false;
        }

        if (_learned is not null && TryEnterTimed(out lease, out var entered))
        {
            return entered;
        }

        var queue = Queue();
        lock (queue.Gate)
        {
            entered = TryEnterLocked(queue, _policy, PermitPool.Full, out lease);
        }

        Stamp(lease);
        return entered;
    }

    private BulkheadAdmission Refused(RefusalReason reason)
    {
        Refuse(reason, out var refusal);
        return new(IsAdmitted: false, default, refusal);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Refuse(RefusalReason reason, out Refusal refusal)
    {
        Interlocked.Increment(ref reason == RefusalReason.QueueTimeout ? ref Queue().TimedOut : ref _refusedFull);
        _telemetry?.Refused(this, reason);

        // Callers refused together must not come back together: uniform between one and three seconds.
        refusal = new Refusal(reason, Name, TimeSpan.FromSeconds(1 + (2 * (_random ?? Random.Shared.NextDouble)())));
    }
}
