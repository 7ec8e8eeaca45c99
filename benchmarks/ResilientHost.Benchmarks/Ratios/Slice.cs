using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ResilientHost.Benchmarks.Ratios;

/// <summary>What one side did in one slice.</summary>
/// <param name="Operations">Operations done.</param>
/// <param name="Seconds">CPU time on one thread, wall time on several.</param>
/// <param name="ProcessorShare">Part of the slice's wall time in which a processor was ours; 1 on one thread, whose clock stands still otherwise.</param>
/// <param name="Bytes">Bytes allocated by the threads that did them.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Slice(long Operations, double Seconds, double ProcessorShare, long Bytes)
{
    public double NanosecondsPerOperation => Seconds * 1e9 / Operations;

    public double OperationsPerSecond => Operations / Seconds;

    /// <summary>What the whole process took of the machine's processors meanwhile, as 1 and that share.</summary>
    public static Slice OfProcess(IOperation operation, int count)
    {
        // Sets the stage.
        operation.Run(0);
        var wall = Stopwatch.GetTimestamp();
        var start = CpuClock.ProcessNanoseconds();
        operation.Run(count);
        var cpu = (CpuClock.ProcessNanoseconds() - start) / 1e9;
        var share = cpu / (Stopwatch.GetElapsedTime(wall).TotalSeconds * Environment.ProcessorCount);
        return new Slice(count, 1 + share, ProcessorShare: 1, Bytes: 0);
    }

    /// <summary>Runs a fixed number of operations on the calling thread.</summary>
    public static Slice Run(IOperation operation, int count)
    {
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var start = CpuClock.Nanoseconds();
        operation.Run(count);
        var end = CpuClock.Nanoseconds();
        return new Slice(count, (end - start) / 1e9, ProcessorShare: 1, GC.GetAllocatedBytesForCurrentThread() - bytes);
    }
}
