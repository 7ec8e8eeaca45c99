using System.Diagnostics;

namespace ResilientHost.Benchmarks.Ratios;

/// <summary>
/// Measures both sides of a comparison in one process, in short slices that take turns. A slow second of the machine
/// slows both sides of a pair, so the ratio of a pair holds where absolute times do not; the median of many pairs is the answer.
/// </summary>
internal static class PairedHarness
{
    private const int SteadyPhases = 4;
    private const int MostOvertime = 3;
    private const double Fall = 0.85;

    // The tiered compiler takes a step when no new code has been called for 100 ms.
    private static readonly TimeSpan CompilerPause = TimeSpan.FromMilliseconds(120);
    private static readonly TimeSpan WarmUpPhase = TimeSpan.FromMilliseconds(12);

    public static Measurement Measure(Comparison comparison, Effort effort)
    {
        if (comparison.MeasuredBy is { } measure)
        {
            return measure(effort);
        }

        var (ours, peer) = comparison.Create();
        var common = comparison.Base?.Invoke();
        try
        {
            if (common is not null)
            {
                WarmUp(ours, peer, effort.WarmUpPhases);
                WarmUp(common, common, effort.WarmUpPhases);
                return BeyondBase(comparison, ours, peer, common, effort);
            }

            if (comparison.OfProcess)
            {
                return OfProcess(comparison, ours, peer, effort);
            }

            WarmUp(ours, peer, effort.WarmUpPhases);
            return comparison.Threads == 1 ? OnOneThread(comparison, ours, peer, effort) : OnThreads(comparison, ours, peer, effort);
        }
        finally
        {
            (ours as IDisposable)?.Dispose();
            (peer as IDisposable)?.Dispose();
            (common as IDisposable)?.Dispose();
        }
    }

    private static Measurement OnOneThread(Comparison comparison, IOperation ours, IOperation peer, Effort effort)
    {
        var oursCount = Calibrate(ours, effort.Slice);
        var peerCount = Calibrate(peer, effort.Slice);
        return Rounds(comparison.Name, "ns/op", effort, slice => slice.NanosecondsPerOperation, () => Slice.Run(ours, oursCount), () => Slice.Run(peer, peerCount));
    }

    // The differences of a turn are noisier than its times: the median of many turns is compared, and the rounds say how far it moves.
    private static Measurement BeyondBase(Comparison comparison, IOperation ours, IOperation peer, IOperation common, Effort effort)
    {
        IOperation[] sides = [ours, peer, common];
        var counts = Array.ConvertAll(sides, side => Calibrate(side, effort.Slice));
        var turns = effort.Rounds * effort.PairsPerRound;
        var slices = Array.ConvertAll(sides, _ => new Slice[turns]);
        GC.Collect();
        for (var turn = 0; turn < turns; turn++)
        {
            for (var place = 0; place < sides.Length; place++)
            {
                var side = (turn + place) % sides.Length;
                slices[side][turn] = Slice.Run(sides[side], counts[side]);
            }
        }

        double Added(int side, int from, int count) =>
            Median(Enumerable.Range(from, count).Select(turn => slices[side][turn].NanosecondsPerOperation - slices[2][turn].NanosecondsPerOperation));
        double AddedBytes(int side) => BytesPerOperation(slices[side]) - BytesPerOperation(slices[2]);
        var rounds = Enumerable.Range(0, effort.Rounds)
            .Select(round => Added(0, round * effort.PairsPerRound, effort.PairsPerRound) / Added(1, round * effort.PairsPerRound, effort.PairsPerRound)).ToArray();
        var (mine, theirs) = (Added(0, 0, turns), Added(1, 0, turns));
        return new Measurement(new RatioRow(comparison.Name, mine, theirs, mine / theirs, "ns added", AddedBytes(0), AddedBytes(1)), rounds.Min(), rounds.Max());
    }

    // What happens once a second is not seen in slices of milliseconds.
    private static Measurement OfProcess(Comparison comparison, IOperation ours, IOperation peer, Effort effort)
    {
        const int count = 40;
        var longer = effort with { PairsPerRound = 2 };
        for (var phase = 0; phase < 3; phase++)
        {
            Slice.OfProcess(ours, count);
            Slice.OfProcess(peer, count);
        }

        return Rounds(comparison.Name, "machine", longer, slice => slice.Seconds, () => Slice.OfProcess(ours, count), () => Slice.OfProcess(peer, count));
    }

    private static Measurement OnThreads(Comparison comparison, IOperation ours, IOperation peer, Effort effort)
    {
        using var team = new ThreadTeam(comparison.Threads);

        // Contention itself makes an instance change shape (stripes inflate, locks fatten): that is warm-up, too.
        for (var phase = 0; phase < 4; phase++)
        {
            team.Run(ours, effort.SharedSlice);
            team.Run(peer, effort.SharedSlice);
        }

        var shorter = effort with { PairsPerRound = Math.Max(6, effort.PairsPerRound / 4) };
        return Rounds(comparison.Name, "ops/s", shorter, slice => slice.OperationsPerSecond, () => team.Run(ours, effort.SharedSlice), () => team.Run(peer, effort.SharedSlice));
    }

    private static Measurement Rounds(string name, string unit, Effort effort, Func<Slice, double> figure, Func<Slice> runOurs, Func<Slice> runPeer)
    {
        var pairs = effort.Rounds * effort.PairsPerRound;
        var ours = new Slice[pairs];
        var peer = new Slice[pairs];
        GC.Collect();
        for (var pair = 0; pair < pairs; pair++)
        {
            // Who goes first alternates, so that a machine that speeds up or slows down favours nobody.
            if (pair % 2 == 0)
            {
                ours[pair] = runOurs();
                peer[pair] = runPeer();
            }
            else
            {
                peer[pair] = runPeer();
                ours[pair] = runOurs();
            }
        }

        (ours, peer) = Undisturbed(ours, peer);
        var ratios = ours.Zip(peer, (mine, theirs) => figure(mine) / figure(theirs)).ToArray();
        var rounds = ratios.Chunk(Math.Max(1, ratios.Length / effort.Rounds)).Select(Median).ToArray();
        var row = new RatioRow(name, Median(ours.Select(figure)), Median(peer.Select(figure)), Median(ratios), unit, BytesPerOperation(ours), BytesPerOperation(peer));
        return new Measurement(row, rounds.Min(), rounds.Max());
    }

    // Threads that a busy machine runs by turns do not contend, and contention is what those rows are about: only the half of the pairs counts
    // in which both sides came closest to the most processor time that they ever got. On one thread every pair is as good as any other.
    private static (Slice[] Ours, Slice[] Peer) Undisturbed(Slice[] ours, Slice[] peer)
    {
        var (mostOurs, mostPeer) = (ours.Max(slice => slice.ProcessorShare), peer.Max(slice => slice.ProcessorShare));
        var quality = ours.Zip(peer, (mine, theirs) => Math.Min(mine.ProcessorShare / mostOurs, theirs.ProcessorShare / mostPeer)).ToArray();
        var bar = Median(quality);
        var kept = Enumerable.Range(0, quality.Length).Where(pair => quality[pair] >= bar).ToArray();
        return (Array.ConvertAll(kept, pair => ours[pair]), Array.ConvertAll(kept, pair => peer[pair]));
    }

    // On a busy machine the compiler's thread starves: warm is when the figures have stopped falling, not when time is up.
    private static void WarmUp(IOperation ours, IOperation peer, int phases)
    {
        var (bestOurs, bestPeer) = (double.MaxValue, double.MaxValue);
        var lastFall = 0;
        for (var phase = 0; phase < phases || (phase - lastFall < SteadyPhases && phase < phases * MostOvertime); phase++)
        {
            var (nowOurs, nowPeer) = (Spin(ours), Spin(peer));
            if (nowOurs < bestOurs * Fall || nowPeer < bestPeer * Fall)
            {
                lastFall = phase;
            }

            (bestOurs, bestPeer) = (Math.Min(bestOurs, nowOurs), Math.Min(bestPeer, nowPeer));
            Thread.Sleep(CompilerPause);
        }
    }

    /// <summary>Runs the operation for a moment; nanoseconds of CPU for each.</summary>
    private static double Spin(IOperation operation)
    {
        // A method leaves the first tier after 30 calls: many short runs, however long one of them takes.
        var start = Stopwatch.GetTimestamp();
        var cpu = CpuClock.Nanoseconds();
        var call = 0;
        for (; call < 40 || Stopwatch.GetElapsedTime(start) < WarmUpPhase; call++)
        {
            operation.Run(16);
        }

        return (CpuClock.Nanoseconds() - cpu) / (16.0 * call);
    }

    private static int Calibrate(IOperation operation, TimeSpan slice)
    {
        var count = 16;
        while (true)
        {
            var probe = Slice.Run(operation, count);
            if (probe.Seconds >= slice.TotalSeconds / 4)
            {
                return (int)Math.Max(1, count * (slice.TotalSeconds / probe.Seconds));
            }

            count *= 2;
        }
    }

    // All bytes of all slices: an allocation once in a hundred operations shows. Below 0.05 B per operation it is the runtime's own.
    private static double BytesPerOperation(Slice[] slices) =>
        Math.Round((double)slices.Sum(slice => slice.Bytes) / slices.Sum(slice => slice.Operations), 1);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
