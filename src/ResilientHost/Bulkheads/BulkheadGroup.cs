using ResilientHost.Hosting;

namespace ResilientHost.Bulkheads;

/// <summary>The bulkheads of one outbound client, one for each authority, with the same options. The outside sees their sums: authorities are no tags.</summary>
/// <remarks>Thread-safe. Totals outlive the bulkheads that are given back.</remarks>
internal sealed class BulkheadGroup(string name, BulkheadPolicy policy, MonotonicClock clock, BulkheadTelemetry telemetry)
{
    private readonly Lock _gate = new();
    private readonly HashSet<Bulkhead> _members = [];
    private BulkheadPolicy _policy = policy;
    private BulkheadTotals _retired;

    public string Name { get; } = name;

    public BulkheadPolicy Policy => Volatile.Read(ref _policy);

    /// <summary>Refusals since construction, of all that there ever were.</summary>
    public BulkheadTotals Totals
    {
        get
        {
            lock (_gate)
            {
                return _members.Aggregate(_retired, static (sum, member) => sum + BulkheadTotals.Of(member));
            }
        }
    }

    /// <summary>One more.</summary>
    public Bulkhead Add()
    {
        lock (_gate)
        {
            var made = new Bulkhead(Name, _policy, clock, telemetry);
            _members.Add(made);
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
    public BulkheadSnapshot Snapshot()
    {
        lock (_gate)
        {
            var limit = 0L;
            var inFlight = 0L;
            var queued = 0L;
            var refused = _retired.Full + _retired.Timeout;
            foreach (var member in _members)
            {
                var snapshot = member.Snapshot();
                limit += snapshot.Limit;
                inFlight += snapshot.InFlight;
                queued += snapshot.Queued;
                refused += snapshot.Refused;
            }

            return new BulkheadSnapshot { Limit = Clamp(limit), InFlight = Clamp(inFlight), Queued = Clamp(queued), Refused = refused };
        }
    }

    private static int Clamp(long sum) => (int)Math.Min(sum, int.MaxValue);
}
