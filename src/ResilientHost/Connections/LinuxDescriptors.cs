using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using ResilientHost.Signals;

namespace ResilientHost.Connections;

/// <summary>
/// Asks the kernel: the limit by <c>getrlimit</c>, what is open by the size of <c>/proc/self/fd</c>, which since Linux 6.2 is their exact number. Whether
/// it is so is tried out once; where it is not, the lowest free number stands for it, which is right but for the gaps that closed descriptors have left.
/// </summary>
/// <remarks>
/// Thread-safe. Costs 1 to 3 µs whatever the number, and needs no descriptor: <c>statx</c> goes by path, and a duplicate that finds no room is the answer
/// itself. The limit is read each time, for it can be changed from outside (<c>prlimit</c>), and .NET raises it to the hard one at start.
/// </remarks>
internal sealed partial class LinuxDescriptors : IHostDescriptors, IDisposable
{
    private const int LimitOfDescriptors = 7;
    private const int DuplicateCloseOnExec = 1030;
    private const int TooManyOpenFiles = 24;
    private const int CurrentDirectory = -100;
    private const uint SizeField = 0x200;
    private static readonly byte[] Directory = "/proc/self/fd\0"u8.ToArray();

    private readonly SafeFileHandle _probe = File.OpenHandle("/dev/null");
    private volatile bool _isExact;

    public LinuxDescriptors() => _isExact = DescriptorListSize.IsCount(static () => Size(), static () => File.OpenHandle("/dev/null"));

    public DescriptorCount? Count()
    {
        if (Native.GetLimit(LimitOfDescriptors, out var limits) != 0)
        {
            return null;
        }

        // 32-bit libraries write two words of 32 bits here, so the first one is the value's low half either way.
        var current = nint.Size == 8 ? limits.First : (uint)limits.First;
        var limit = (int)Math.Min(current, int.MaxValue);
        return (OpenCount() ?? LowestFree()) is { } open ? new DescriptorCount(limit - open, limit) : null;
    }

    public void Dispose() => _probe.Dispose();

    /// <summary>How many are open; <see langword="null"/> where the kernel does not say.</summary>
    internal int? OpenCount()
    {
        if (!_isExact)
        {
            return null;
        }

        if (Size() is > 0 and <= int.MaxValue and var size)
        {
            return (int)size;
        }

        _isExact = false;
        return null;
    }

    /// <summary>The number that the next descriptor would have, which is the limit when there is none left.</summary>
    internal int? LowestFree()
    {
        var free = Native.Duplicate(_probe, DuplicateCloseOnExec, 0);
        if (free >= 0)
        {
            _ = Native.Close(free);
            return free;
        }

        return Marshal.GetLastPInvokeError() == TooManyOpenFiles ? int.MaxValue : null;
    }

    private static long Size()
    {
        try
        {
            return Native.GetStatus(CurrentDirectory, Directory, 0, SizeField, out var status) == 0 ? (long)status.Size : -1;
        }
        catch (EntryPointNotFoundException)
        {
            // An older C library.
            return -1;
        }
    }
}
