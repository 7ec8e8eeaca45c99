using ResilientHost.Hosting;

namespace ResilientHost.Bulkheads;

/// <summary>The bulkheads of one outbound client, one for each authority, with the same options. The outside sees their sums: authorities are no tags.</summary>
/// <remarks>Thread-safe; whoever sums up keeps nobody from adding and removing. Totals outlive the bulkheads that are given back.</remarks>
internal sealed class BulkheadGroup(string name, BulkheadPolicy policy, MonotonicClock clock, BulkheadTelemetry telemetry)
{
    /// <summary>Listeners of different instruments would otherwise hand each other what one of them read long ago.</summary>
    private static readonly TimeSpan MaxReadingAge = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly HashSet<Bulkhead> _members = [];
    private BulkheadPolicy _policy = policy;
    private Bulkhead[]? _copy;
    private BulkheadTotals _retired;
    private BulkheadTotals _told;
    private volatile BulkheadReading? _reading;

    public string Name { get; } = name;

    public BulkheadPolicy Policy => Volatile.Read(ref _policy);

    /// <summary>One more.</summary>
    public Bulkhead Add()
    {
        lock (_gate)
        {
            var made = new Bulkhead(Name, _policy, clock, telemetry);
            _members.Add(made);
            _copy = null;
            return made;
        }
    }

    /// <summary>Lets one go; calls that still hold it go on.</summary>
    public void Remove(Bulkhead member)
    {
        lock (_gate)
        {
            if (_members.Remove(member))
            {
                _copy = null;
                _retired += BulkheadTotals.Of(member);
            }
        }
    }

    /// <summary>Goes by other options from now on, in place. Equal ones change nothing.</summary>
    public void Apply(BulkheadPolicy policy)
    {
        List<Bulkhead> members;
        lock (_gate)
        {
            if (policy == _policy)
            {
                return;
            }

            Volatile.Write(ref _policy, policy);
            members = [.. _members];
        }

        // Outside: it ends waits, of which listeners hear. One that is added meanwhile has the policy already.
        foreach (var member in members)
        {
            member.Apply(policy);
        }
    }

    /// <summary>The sums of the present values.</summary>
    public BulkheadSnapshot Snapshot() => Read().Snapshot;

    /// <summary>What an instrument tells: the same sums as the other instruments of its collection, so that thousands of bulkheads are looked at once for all of them.</summary>
    public BulkheadReading ReadFor(BulkheadInstrument instrument)
    {
        if (_reading is { } known && clock.Elapsed(known.Timestamp, clock.CoarseTimestamp()) < MaxReadingAge && known.TryTake(instrument))
        {
            return known;
        }

        var made = Read();
        made.TryTake(instrument);
        _reading = made;
        return made;
    }

    private BulkheadReading Read()
    {
        var timestamp = clock.CoarseTimestamp();
        Bulkhead[] members;
        BulkheadTotals totals;
        lock (_gate)
        {
            (members, totals) = (_copy ??= [.. _members], _retired);
        }

        var (limit, inFlight, queued) = (0L, 0L, 0L);
        foreach (var member in members)
        {
            var snapshot = member.Snapshot();
            limit += snapshot.Limit;
            inFlight += snapshot.InFlight;
            queued += snapshot.Queued;
            totals += BulkheadTotals.Of(member);
        }

        lock (_gate)
        {
            // One that is removed meanwhile may have refused since; and who began to sum up later may have been faster.
            totals = _told = BulkheadTotals.Max(_told, totals);
        }

        return new(
            new BulkheadSnapshot { Limit = Clamp(limit), InFlight = Clamp(inFlight), Queued = Clamp(queued), Refused = totals.Full + totals.Timeout },
            totals,
            timestamp);
    }

    private static int Clamp(long sum) => (int)Math.Min(sum, int.MaxValue);
}
