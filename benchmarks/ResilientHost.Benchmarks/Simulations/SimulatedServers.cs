namespace ResilientHost.Benchmarks.Simulations;

/// <summary>The thing behind the bulkhead: some servers, and a waiting line before them. A server that is taken away finishes its call.</summary>
internal sealed class SimulatedServers(Scenario scenario, Random random)
{
    private readonly Queue<SimulatedCall> _line = new();
    private int _working;

    /// <summary>Takes a call on.</summary>
    /// <param name="call">The call.</param>
    /// <param name="now">Seconds since the start.</param>
    /// <returns>When its answer is known already; <see langword="null"/>: it waits in the line.</returns>
    public double? Accept(SimulatedCall call, double now)
    {
        var phase = scenario.At(now);
        if (random.NextDouble() < phase.FastFailures || (_working >= phase.Servers && _line.Count >= Scenario.LineLength(phase)))
        {
            call.IsTurnedAway = true;
            return now + Scenario.FastSeconds;
        }

        if (_working >= phase.Servers)
        {
            _line.Enqueue(call);
            return null;
        }

        return Begin(phase, now);
    }

    /// <summary>A server has finished a call.</summary>
    /// <returns>Calls of the line that begin now, and when they will end.</returns>
    public IEnumerable<(SimulatedCall Call, double Ends)> Finish(double now)
    {
        _working--;
        var phase = scenario.At(now);
        while (_working < phase.Servers && _line.TryDequeue(out var next))
        {
            yield return (next, Begin(phase, now));
        }
    }

    // The sum of four exponential times: half as spread as one, as answers of real services are that share most of their work.
    private double Begin(Phase phase, double now)
    {
        _working++;
        var sum = 0.0;
        for (var part = 0; part < 4; part++)
        {
            sum -= Math.Log(1 - random.NextDouble());
        }

        return now + (phase.ServiceSeconds * sum / 4);
    }
}

/// <summary>A call that the bulkhead let in.</summary>
internal sealed class SimulatedCall(BulkheadLease lease, double start)
{
    public BulkheadLease Lease { get; } = lease;

    public double Start { get; } = start;

    /// <summary>It failed without being worked on.</summary>
    public bool IsTurnedAway { get; set; }
}
