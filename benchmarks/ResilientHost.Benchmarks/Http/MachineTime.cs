using System.Diagnostics;
using System.Globalization;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Http;

/// <summary>Processor time of the whole machine, and what of it is ours, at a moment.</summary>
/// <param name="Timestamp">When.</param>
/// <param name="Busy">Seconds that all processors were busy so far, or taken by other machines.</param>
/// <param name="Ours">Seconds of it that we, our servers, and children that have ended were running.</param>
internal sealed record MachineTime(long Timestamp, double Busy, double Ours)
{
    // USER_HZ, whatever the kernel's own: proc(5).
    private const double TicksPerSecond = 100;

    public static bool IsKnown => File.Exists("/proc/stat");

    public static MachineTime Now(IEnumerable<ServerProcess> servers)
    {
        // cpu user nice system idle iowait irq softirq steal. The packets of the loopback are handled in interrupts, which are nobody's: they are left out.
        var machine = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var busy = Ticks(machine[1]) + Ticks(machine[2]) + Ticks(machine[3]) + Ticks(machine[8]);

        // The name, second of the fields, may hold anything; cutime and cstime are the 14th and 15th behind it.
        var self = File.ReadAllText("/proc/self/stat");
        var fields = self[(self.LastIndexOf(')') + 2)..].Split(' ');
        var ours = (CpuClock.ProcessNanoseconds() + servers.Sum(server => server.CpuNanoseconds())) / 1e9;
        return new MachineTime(Stopwatch.GetTimestamp(), busy, ours + Ticks(fields[13]) + Ticks(fields[14]));
    }

    /// <summary>Processors that others used since.</summary>
    public double ForeignSince(MachineTime before) =>
        (Busy - before.Busy - (Ours - before.Ours)) / Stopwatch.GetElapsedTime(before.Timestamp, Timestamp).TotalSeconds;

    private static double Ticks(string text) => long.Parse(text, CultureInfo.InvariantCulture) / TicksPerSecond;
}
