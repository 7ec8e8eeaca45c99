namespace ResilientHost.Benchmarks.Simulations;

/// <summary>
/// A real bulkhead in a simulated world, in simulated time: what it lets in decides how long calls take, and how they go decides what it lets in. Calls arrive at random (Poisson), those that are refused do not
/// come back. The same seed gives the same run.
/// </summary>
internal sealed class LimitSimulation
{
    private const double SampleSeconds = 0.5;

    private readonly PriorityQueue<SimulatedCall?, (double Time, long Order)> _events = new();
    private readonly SimulatedTime _time = new();
    private readonly Scenario _scenario;
    private readonly Random _random;
    private readonly SimulatedServers _servers;
    private readonly Bulkhead _bulkhead;
    private readonly List<LimitSample> _samples = [];
    private long _order;
    private int _useful;
    private double _latencies;

    private LimitSimulation(Scenario scenario, BulkheadOptions options, int seed)
    {
        _scenario = scenario;
        _random = new Random(seed);
        _servers = new SimulatedServers(scenario, _random);
        _bulkhead = new Bulkhead("simulation", options, _time);
    }

    public static SimulatedRun Run(Scenario scenario, AdaptiveLimit algorithm, int seed = 1) =>
        Run(scenario, new BulkheadOptions { Adaptive = algorithm, MaxConcurrency = 400 }, seed);

    public static SimulatedRun Run(Scenario scenario, BulkheadOptions options, int seed = 1) => new LimitSimulation(scenario, options, seed).Run();

    private SimulatedRun Run()
    {
        // A null is the next arrival.
        Schedule(null, 0);
        var nextSample = SampleSeconds;
        while (_events.TryDequeue(out var call, out var at))
        {
            for (; nextSample <= at.Time && nextSample <= _scenario.Seconds; nextSample += SampleSeconds)
            {
                Sample(nextSample);
            }

            _time.Seconds = at.Time;
            if (call is not null)
            {
                Leave(call, at.Time);
            }
            else if (at.Time < _scenario.Seconds)
            {
                Arrive(at.Time);
            }
        }

        return new SimulatedRun(_scenario, _samples, _bulkhead.Snapshot());
    }

    private void Arrive(double now)
    {
        Schedule(null, now - (Math.Log(1 - _random.NextDouble()) / _scenario.ArrivalsPerSecond));
        if (!_bulkhead.TryEnter(out var lease, out _))
        {
            return;
        }

        SimulatedCall call = new(lease, now);
        if (_servers.Accept(call, now) is { } ends)
        {
            Schedule(call, ends);
        }
    }

    private void Leave(SimulatedCall call, double now)
    {
        var latency = now - call.Start;
        var isUseful = !call.IsTurnedAway && latency <= Scenario.PatienceSeconds;
        if (isUseful)
        {
            _useful++;
            _latencies += latency;
        }

        _bulkhead.Exit(call.Lease, isUseful ? CallOutcome.Succeeded : CallOutcome.Failed);
        if (!call.IsTurnedAway)
        {
            foreach (var (next, ends) in _servers.Finish(now))
            {
                Schedule(next, ends);
            }
        }
    }

    private void Sample(double seconds)
    {
        var snapshot = _bulkhead.Snapshot();
        _samples.Add(new LimitSample(seconds, snapshot.Limit, snapshot.InFlight, _useful / SampleSeconds, _latencies / Math.Max(_useful, 1)));
        _useful = 0;
        _latencies = 0;
    }

    private void Schedule(SimulatedCall? call, double time) => _events.Enqueue(call, (time, _order++));
}
