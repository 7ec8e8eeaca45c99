using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Bulkheads;

/// <summary>One bulkhead and its callers, in steps of a millisecond of manual time: calls come at random, stay for a random time, and are not tried again. Same seed, same story.</summary>
internal sealed class FairShareSimulation
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly Random _random;
    private readonly PriorityQueue<Call, long> _calls = new();
    private long _step;

    public FairShareSimulation(BulkheadOptions options, int seed)
    {
        _random = new Random(seed);
        options.PartitionBy ??= "User";
        MonotonicClock clock = new(_time);
        var policy = BulkheadPolicy.From("shared", options);
        Bulkhead = new Bulkhead("shared", policy, clock);
        Shares = new FairShare(Bulkhead, policy, clock);
    }

    public Bulkhead Bulkhead { get; }

    public FairShare Shares { get; }

    public Dictionary<string, Tenant> Tenants { get; } = new(StringComparer.Ordinal);

    /// <param name="name">The key.</param>
    /// <param name="load">Calls that it would have inside on average, were there room for all.</param>
    /// <param name="milliseconds">How long its calls stay, on average.</param>
    /// <param name="burst">Calls that come at once.</param>
    public Tenant Tenant(string name, double load, double milliseconds = 20, int burst = 1)
    {
        if (!Tenants.TryGetValue(name, out var tenant))
        {
            Tenants[name] = tenant = new Tenant(name);
        }

        (tenant.Load, tenant.Milliseconds, tenant.Burst) = (load, milliseconds, burst);
        return tenant;
    }

    /// <summary>Goes on for so long; the tenants' numbers are of that time alone.</summary>
    public void Run(TimeSpan duration)
    {
        foreach (var tenant in Tenants.Values)
        {
            tenant.Forget();
        }

        var steps = (long)(duration / Step);
        var tenants = Tenants.Values.ToArray();
        for (var i = 0; i < steps; i++)
        {
            _time.Advance(Step);
            _step++;
            while (_calls.TryPeek(out var call, out var end) && end <= _step)
            {
                _calls.Dequeue();
                End(call);
            }

            _random.Shuffle(tenants);
            foreach (var tenant in tenants)
            {
                for (var arrivals = Poisson(tenant.Load / tenant.Milliseconds / tenant.Burst) * tenant.Burst; arrivals > 0; arrivals--)
                {
                    Arrive(tenant);
                }

                tenant.InsideSum += tenant.Inside;
            }
        }

        foreach (var tenant in tenants)
        {
            tenant.MeanInside = tenant.InsideSum / steps;
        }
    }

    public void Drain()
    {
        while (_calls.TryDequeue(out var call, out _))
        {
            End(call);
        }
    }

    private void Arrive(Tenant tenant)
    {
        tenant.Asked++;
        if (!Shares.TryEnter(tenant.Name, out var ticket, out var refusal))
        {
            refusal.IsCallersShare.ShouldBeTrue();
            tenant.OverShare++;
        }
        else if (!Bulkhead.TryEnter(out var lease, out _))
        {
            FairShare.ExitRefused(ticket);
            tenant.NoRoom++;
        }
        else
        {
            tenant.Inside++;
            var stay = -Math.Log(1 - _random.NextDouble()) * tenant.Milliseconds;
            _calls.Enqueue(new Call(tenant, lease, ticket), _step + Math.Max(1, (long)Math.Round(stay)));
        }
    }

    private void End(Call call)
    {
        Bulkhead.Exit(call.Lease, CallOutcome.Succeeded);
        FairShare.Exit(call.Ticket);
        call.Tenant.Inside--;
    }

    private int Poisson(double mean)
    {
        var limit = Math.Exp(-mean);
        var count = 0;
        for (var product = _random.NextDouble(); product > limit; product *= _random.NextDouble())
        {
            count++;
        }

        return count;
    }

    private sealed record Call(Tenant Tenant, BulkheadLease Lease, FairShareTicket Ticket);
}

/// <summary>A caller of the simulation and what became of its calls.</summary>
internal sealed class Tenant(string name)
{
    public string Name { get; } = name;

    public double Load { get; set; }

    public double Milliseconds { get; set; }

    public int Burst { get; set; }

    public int Inside { get; set; }

    public double InsideSum { get; set; }

    public double MeanInside { get; set; }

    public int Asked { get; set; }

    public int OverShare { get; set; }

    public int NoRoom { get; set; }

    public double Served => 1 - ((OverShare + NoRoom) / (double)Math.Max(Asked, 1));

    public void ShouldHave(double ideal) => MeanInside.ShouldBe(ideal, 0.1 * ideal, ToString());

    public void Forget() => (InsideSum, MeanInside, Asked, OverShare, NoRoom) = (0, 0, 0, 0, 0);

    public override string ToString() => $"{Name}: inside {MeanInside:f1}, served {Served:p1}, 429 {OverShare}, 503 {NoRoom} of {Asked}";
}
