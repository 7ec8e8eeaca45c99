namespace ResilientHost.Tests;

/// <summary>What code takes from the heap, of the thread that runs it.</summary>
internal static class AllocatedBytes
{
    private const int Rounds = 20;

    /// <summary>The bytes of the round that took the fewest; the first ones fill pools and let the compiler finish.</summary>
    /// <remarks>
    /// One round alone says nothing: a collection, which any thread may cause, counts what is left of this thread's allocation context, up to 8 KiB, as allocated. Rounds are to be short, so that most see none.
    /// </remarks>
    /// <param name="round">Runs on this thread, up to twenty times.</param>
    public static long LeastOf(Action round)
    {
        var least = long.MaxValue;
        for (var i = 0; i < Rounds && least > 0; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            round();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
