namespace ResilientHost.Signals;

/// <summary>Whether the size of <c>/proc/self/fd</c> is the number of open descriptors, as it is since Linux 6.2. Before, and on kernels that only look like Linux, it is nothing or anything.</summary>
internal static class DescriptorListSize
{
    private const int Tries = 8;

    /// <summary>Opens a file and looks whether the size follows.</summary>
    /// <param name="size">The size; 0 or less when it is unknown.</param>
    /// <param name="open">Opens any file.</param>
    public static bool IsCount(Func<long> size, Func<IDisposable?> open)
    {
        // Not compared with what listing gives: a thread that is blocked in opening a pipe or in accepting has a descriptor reserved that is not listed yet, and
        // every .NET process has such a thread, the debugger's. Other threads open and close files at the same time, hence several tries.
        for (var tries = 0; tries < Tries; tries++)
        {
            var before = size();
            long during;
            using (open())
            {
                during = size();
            }

            if (before > 0 && during == before + 1 && size() == before)
            {
                return true;
            }
        }

        return false;
    }
}
