using System.Diagnostics;

namespace ResilientHost.Benchmarks.Http;

/// <summary>
/// Loads one server at a time, a second each, in rounds whose order is drawn anew. All servers of a launch are alive throughout; slices in which
/// others used the machine are dropped and measured again.
/// </summary>
internal sealed class HttpRun(IReadOnlyList<ServerMode> modes, HttpEffort effort, double mostForeign, int seed)
{
    private const int SliceSeconds = 1;
    private const int Attempts = 3;

    private readonly Dictionary<ServerMode, LoadSlices> _slices = modes.ToDictionary(mode => mode, _ => new LoadSlices());
    private readonly Random _random = new(seed);
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <exception cref="InvalidOperationException">A server answered something else than it should, or ended.</exception>
    public async Task<IReadOnlyDictionary<ServerMode, LoadSlices>> MeasureAsync(CancellationToken cancellationToken)
    {
        for (var launch = 0; launch < effort.Launches; launch++)
        {
            // Starting takes its part of the launch, so that a slow machine gets fewer rounds, not fewer launches.
            var end = effort.Limit * (launch + 1) / effort.Launches;
            using var fleet = await Fleet.StartAsync(modes, cancellationToken);
            for (var warmUp = 0; warmUp < effort.WarmUps; warmUp++)
            {
                foreach (var mode in modes)
                {
                    await LoadAsync(fleet, mode, cancellationToken);
                }
            }

            for (var round = 0; round < effort.Rounds && Stopwatch.GetElapsedTime(_start) < end - TimeSpan.FromSeconds(1.1 * SliceSeconds * modes.Count); round++)
            {
                Console.Error.WriteLine($"launch {launch + 1} of {effort.Launches}, round {round + 1}");
                await RoundAsync(fleet, launch, round, end, cancellationToken);
            }

            await fleet.ProveAsync(cancellationToken);
        }

        return _slices;
    }

    private async Task RoundAsync(Fleet fleet, int launch, int round, TimeSpan end, CancellationToken cancellationToken)
    {
        var order = modes.ToArray();
        _random.Shuffle(order);
        foreach (var mode in order)
        {
            for (var attempt = 0; attempt < Attempts && Stopwatch.GetElapsedTime(_start) < end; attempt++)
            {
                var (slice, foreign) = await LoadAsync(fleet, mode, cancellationToken);
                if (foreign <= mostForeign)
                {
                    _slices[mode].Keep(launch, round, slice);
                    break;
                }

                _slices[mode].Dropped++;
            }
        }
    }

    private static async Task<(LoadSlice Slice, double Foreign)> LoadAsync(Fleet fleet, ServerMode mode, CancellationToken cancellationToken)
    {
        var server = fleet[mode];
        var before = MachineTime.Now(fleet.Servers);
        var cpu = server.CpuNanoseconds();
        var report = await Wrk.RunAsync(Fleet.EndpointOf(server), SliceSeconds, cancellationToken);
        cpu = server.CpuNanoseconds() - cpu;
        var foreign = MachineTime.Now(fleet.Servers).ForeignSince(before);

        var failures = mode.Status < 400 ? 0 : report.Requests;
        return report.Requests == 0 || report.SocketErrors > 0 || report.Failures != failures
            ? throw new InvalidOperationException($"All answers of the server '{mode.Name}' must be {mode.Status}: of {report.Requests} there were {report.Failures} neither 2xx nor 3xx, and {report.SocketErrors} socket errors.")
            : (new LoadSlice(report, cpu / 1e3 / report.Requests), foreign);
    }
}
