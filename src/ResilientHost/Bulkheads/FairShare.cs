using ResilientHost.Hosting;

namespace ResilientHost.Bulkheads;

/// <summary>
/// Divides the room of one bulkhead, and of its queue, among callers: max-min fairness by weight (D. Bertsekas and R. Gallager, <i>Data Networks</i>, 6.5.2). A caller may have everything while nobody else
/// wants it. While others do, it has what is left when each of them gets for its weight as much as it has itself, or less if that is all they want.
/// </summary>
/// <remarks>
/// <para>Thread-safe. Stands in front of the bulkhead: enter here, then the bulkhead; leave the bulkhead, then here. What a caller wants is what it has inside, what waits, and what was refused within the last second or two.</para>
/// <para>One lock, held for a bounded number of steps whatever the number of callers (only the zeros of a larger table take longer, once each time that number doubles); for a caller that had a call in the last second or two nothing is allocated once as many calls have been inside before.</para>
/// <para>A call waits for the lock only where shares matter. While there is room for whatever everybody wants, a call that finds the lock taken is admitted and leaves word, an object of about a hundred bytes; a call that leaves never waits. Whoever holds the lock next counts them (<see cref="FairShareBacklog"/>), some steps for each.</para>
/// </remarks>
internal sealed class FairShare
{
    private const double HoldWeight = 1.0 / 32;
    private const double Tolerance = 1e-6;

    private readonly Lock _gate = new();
    private readonly Bulkhead _bulkhead;
    private readonly MonotonicClock _clock;
    private readonly BulkheadTelemetry? _telemetry;
    private readonly FairShareDemand _demand = new();
    private readonly FairShareCallers _callers;
    private readonly FairShareBacklog _backlog = new();
    private readonly double _secondsPerTick;
    private readonly long _start;
    private volatile BulkheadPolicy _policy;
    private FairSharePlace? _free;
    private double _usualHold = double.NaN;
    private int _inside;

    public FairShare(Bulkhead bulkhead, BulkheadPolicy policy, MonotonicClock clock, BulkheadTelemetry? telemetry = null)
    {
        _bulkhead = bulkhead;
        _policy = policy;
        _clock = clock;
        _telemetry = telemetry;
        _callers = new FairShareCallers(_demand);
        _secondsPerTick = 1.0 / clock.Frequency;
        _start = clock.CoarseTimestamp();
        Counts = telemetry?.ShareCountsOf(bulkhead) ?? new FairShareCounts();
    }

    /// <summary>Callers told apart at present.</summary>
    public int Partitions
    {
        get
        {
            lock (_gate)
            {
                CatchUp(_policy, Now());
                return _callers.Count;
            }
        }
    }

    /// <summary>Tickets out.</summary>
    public int Inside
    {
        get
        {
            lock (_gate)
            {
                CatchUp(_policy, Now());
                return _inside;
            }
        }
    }

    public FairShareCounts Counts { get; }

    /// <summary>Goes by another policy from now on. Tickets stay as they are.</summary>
    public void Apply(BulkheadPolicy policy)
    {
        _policy = policy;
        lock (_gate)
        {
            SetRoom();
        }
    }

    /// <summary>Asks for a place of the caller's share.</summary>
    /// <param name="key">The caller's key.</param>
    /// <param name="ticket">To be ended exactly once, by <see cref="Exit"/> or <see cref="ExitRefused"/>; default when refused.</param>
    /// <param name="refusal">Why not: the caller is over its own share. Default when admitted.</param>
    /// <returns>Whether the bulkhead is to be asked.</returns>
    public bool TryEnter(string key, out FairShareTicket ticket, out Refusal refusal)
    {
        ticket = default;
        refusal = default;
        var policy = _policy;
        if (policy.Mode == BulkheadMode.Disabled)
        {
            return true;
        }

        var now = Now();
        if (!_gate.TryEnter())
        {
            if (_backlog.TryAdmit())
            {
                ticket = LeaveWord(key, now);
                return true;
            }

            _gate.Enter();
        }

        bool fits;
        try
        {
            CatchUp(policy, now);
            var capacity = CapacityOf(policy);
            var wish = _callers.Get(key, policy, now);
            fits = Fits(wish, capacity) || (_callers.TryLookAfterOthers(wish, policy, now) && Fits(wish, capacity));
            if (fits || policy.Mode == BulkheadMode.Shadow)
            {
                ticket = Issue(wish, now);
            }
            else
            {
                wish.Miss(UsualHold);
            }

            _callers.Changed(wish);
            SetRoom();
        }
        finally
        {
            _gate.Exit();
        }

        if (fits)
        {
            return true;
        }

        if (policy.Mode == BulkheadMode.Shadow)
        {
            Counts.CountShadowRefused();
            return true;
        }

        Counts.CountRefused();
        _telemetry?.ShareRefused(_bulkhead);

        // Callers refused together must not come back together: uniform between one and three seconds.
        refusal = new Refusal(RefusalReason.BulkheadFull, _bulkhead.Name, TimeSpan.FromSeconds(1 + (2 * Random.Shared.NextDouble()))) { IsCallersShare = true };
        return false;
    }

    /// <summary>Gives a place back, to whichever instance it belongs. A default ticket, or one already ended, does nothing.</summary>
    public static void Exit(in FairShareTicket ticket) => ticket.Place?.Owner.End(ticket, refused: false);

    /// <summary>As <see cref="Exit"/>, when the bulkhead had no room: that the caller wanted some is remembered.</summary>
    public static void ExitRefused(in FairShareTicket ticket) => ticket.Place?.Owner.End(ticket, refused: true);

    private double UsualHold => double.IsNaN(_usualHold) ? FairShareWish.MemorySeconds : _usualHold;

    /// <summary>Whether there is room for one more when everybody else gets for its weight what this caller has already.</summary>
    private bool Fits(FairShareWish wish, double capacity)
    {
        var others = _demand.OfOthers(wish, wish.Inside / wish.Weight, capacity);

        // When nobody else wants anything, that there is no room is the bulkhead's to say.
        return others <= 0 || wish.Inside + others < capacity - Tolerance;
    }

    private double CapacityOf(BulkheadPolicy policy) => (double)_bulkhead.Limit + (policy.CanQueue ? policy.QueueLength : 0);

    /// <summary>With all peaks together below the room, so are anybody's calls and what others want. The last place is for the call that holds the lock meanwhile.</summary>
    private void SetRoom() => _backlog.SetRoom(CapacityOf(_policy) - Tolerance - _demand.Peaks);

    private FairShareTicket LeaveWord(string key, double now)
    {
        var place = new FairSharePlace(this) { Key = key, Since = now };
        FairShareTicket ticket = new(place, place.Generation);
        _backlog.PushEntered(place);
        return ticket;
    }

    private FairShareTicket Issue(FairShareWish wish, double now)
    {
        var place = _free;
        if (place is null)
        {
            place = new FairSharePlace(this);
        }
        else
        {
            _free = place.Next;
            place.Next = null;
        }

        place.Since = now;
        Take(place, wish);
        return new FairShareTicket(place, place.Generation);
    }

    private void Take(FairSharePlace place, FairShareWish wish)
    {
        place.Wish = wish;
        wish.Enter();
        _inside++;
    }

    private void End(in FairShareTicket ticket, bool refused)
    {
        var now = Now();
        var place = ticket.Place!;
        if (!place.TryEnd(ticket.Generation))
        {
            return;
        }

        place.Until = now;
        place.IsRefused = refused;
        if (!_gate.TryEnter())
        {
            _backlog.PushLeft(place);
            return;
        }

        try
        {
            var policy = _policy;
            CatchUp(policy, now);
            Release(place, policy, now);
            SetRoom();
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>Counts who came and left while the lock was held.</summary>
    private void CatchUp(BulkheadPolicy policy, double now)
    {
        var (entered, left) = _backlog.TakeAll();
        if (entered is null && left is null)
        {
            return;
        }

        for (var place = left; place is not null; place = place.NextLeft)
        {
            place.HasLeft = true;
        }

        var calls = 0;
        while (entered is not null)
        {
            var place = entered;
            entered = place.Next;
            place.Next = null;
            Take(place, policy, now);
            calls++;

            // At once: calls that came one after the other did not want their places together.
            if (place.HasLeft)
            {
                Release(place, policy, now);
            }
        }

        while (left is not null)
        {
            var place = left;
            left = place.NextLeft;
            place.NextLeft = null;
            if (place.HasLeft)
            {
                Release(place, policy, now);
            }
        }

        SetRoom();
        _backlog.Counted(calls);
    }

    private void Take(FairSharePlace place, BulkheadPolicy policy, double now)
    {
        var wish = _callers.Get(place.Key!, policy, now);
        Take(place, wish);
        _callers.Changed(wish);
    }

    private void Release(FairSharePlace place, BulkheadPolicy policy, double now)
    {
        var wish = place.Wish!;
        place.Wish = null;
        place.HasLeft = false;
        _inside--;

        // One more is made for each call that finds the lock taken: kept, they would become ever more.
        if (place.Key is null)
        {
            place.Next = _free;
            _free = place;
        }

        FairShareCallers.Bring(wish, policy, now);
        if (place.IsRefused)
        {
            wish.LeaveRefused(UsualHold);
        }
        else
        {
            var held = Math.Max(place.Until - place.Since, 0);
            wish.Leave(held);
            _usualHold = double.IsNaN(_usualHold) ? held : _usualHold + (HoldWeight * (held - _usualHold));
        }

        _callers.Changed(wish);
    }

    private double Now() => (_clock.CoarseTimestamp() - _start) * _secondsPerTick;
}
