using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ResilientHost.Benchmarks.Ratios;

/// <summary>CPU time of the calling thread or of the process. On a shared machine wall time measures the neighbours.</summary>
internal static partial class CpuClock
{
    private const int ProcessCpuTime = 2;
    private const int ThreadCpuTime = 3;
    private const int ScheduledTime = 2;

    /// <summary>Nanoseconds of CPU that the calling thread has used; wall time where the kernel has no such clock.</summary>
    public static long Nanoseconds() => Read(ThreadCpuTime);

    /// <summary>Nanoseconds of CPU that all threads of the process have used; wall time where the kernel has no such clock.</summary>
    public static long ProcessNanoseconds() => Read(ProcessCpuTime);

    /// <summary>Nanoseconds of CPU that another process has used so far; <see langword="null"/> where the kernel does not tell to the nanosecond.</summary>
    public static long? NanosecondsOf(int process)
    {
        // How Linux numbers the clock of a process: clock_getcpuclockid(3).
        return OperatingSystem.IsLinux() && GetTime((~process << 3) | ScheduledTime, out var time) == 0 ? (time.Seconds * 1_000_000_000L) + time.Nanoseconds : null;
    }

    private static long Read(int clock)
    {
        if (OperatingSystem.IsLinux() && GetTime(clock, out var time) == 0)
        {
            return (time.Seconds * 1_000_000_000L) + time.Nanoseconds;
        }

        return (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct TimeSpec
    {
        public readonly nint Seconds;
        public readonly nint Nanoseconds;
    }
}
