namespace ResilientHost.Tests;

/// <summary>What code takes from the heap, of the thread that runs it.</summary>
/// <remarks>
/// A collection, which any thread may cause, counts what is left of every thread's allocation context as allocated: up to 8 KiB of a thread that has allocated nothing. Only a context
/// that is empty stays as it is.
/// </remarks>
internal static class AllocatedBytes
{
    private const int Rounds = 20;

    /// <summary>The bytes that the second of two runs takes. Exact for code that takes none: it starts with an empty context, and nothing fills that.</summary>
    /// <param name="run">Runs on this thread, twice.</param>
    public static long Of(Action run)
    {
        run();
        GC.Collect(0);
        return Measure(run);
    }

    /// <summary>The bytes of the run that took the fewest: for code that takes some each time, or whose first runs fill pools.</summary>
    /// <param name="run">Runs on this thread, up to twenty times; short, so that most runs see no collection.</param>
    public static long LeastOf(Action run)
    {
        var least = long.MaxValue;
        for (var round = 0; round < Rounds && least > 0; round++)
        {
            least = Math.Min(least, Measure(run));
        }

        return least;
    }

    private static long Measure(Action run)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        run();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
