using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>How the studies measure: CPU time in short slices that take turns, and memory that is still there after a collection.</summary>
internal static class Figure
{
    private const int Slices = 9;
    private const int FewestCalls = 40_000;
    private const int WarmUps = 8;
    private static readonly TimeSpan CompilerPause = TimeSpan.FromMilliseconds(110);

    /// <summary>Nanoseconds of a call, of each side.</summary>
    /// <param name="size">Things that the calls go round; every one of them is called in each slice.</param>
    /// <param name="sides">What is compared, in turns.</param>
    public static double[] NanosecondsPerCall(int size, params IOperation[] sides)
    {
        var calls = Math.Max(size, FewestCalls);
        var times = Array.ConvertAll(sides, static _ => new double[Slices]);
        Array.ForEach(sides, side => side.Run(calls));
        for (var slice = 0; slice < Slices; slice++)
        {
            for (var side = 0; side < sides.Length; side++)
            {
                times[side][slice] = Slice.Run(sides[side], calls).NanosecondsPerOperation;
            }
        }

        return Array.ConvertAll(times, Median);
    }

    /// <summary>Lets the tiered compiler come to its last word.</summary>
    public static void WarmUp(params IOperation[] sides)
    {
        for (var phase = 0; phase < WarmUps; phase++)
        {
            Array.ForEach(sides, static side => side.Run(FewestCalls / 4));
            Thread.Sleep(CompilerPause);
        }
    }

    /// <summary>Bytes that are in use.</summary>
    public static long BytesInUse()
    {
        // Twice: what has a finalizer is gone after the second.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    /// <summary>Milliseconds of CPU that the process takes in each second of a while.</summary>
    public static double CpuPerSecond(TimeSpan during, Action<TimeSpan>? meanwhile = null)
    {
        var start = CpuClock.ProcessNanoseconds();
        (meanwhile ?? Thread.Sleep)(during);
        return (CpuClock.ProcessNanoseconds() - start) / 1e6 / during.TotalSeconds;
    }

    /// <summary>Milliseconds of CPU that the process takes for something.</summary>
    public static double CpuOf(Action work)
    {
        var start = CpuClock.ProcessNanoseconds();
        work();
        return (CpuClock.ProcessNanoseconds() - start) / 1e6;
    }

    public static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
