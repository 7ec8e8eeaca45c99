using System.Diagnostics;

namespace FailureDrill.Workshops.Service;

/// <summary>Work that keeps one processor busy.</summary>
internal static class Processor
{
    /// <summary>Works for as long as that, by the clock: so that it is as much on any machine.</summary>
    public static void Burn(TimeSpan duration)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < duration)
        {
            Thread.SpinWait(100);
        }
    }
}
