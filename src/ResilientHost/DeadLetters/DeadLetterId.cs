using System.Security.Cryptography;

namespace ResilientHost.DeadLetters;

/// <summary>Ids of letters and names of their files: unique, and their text sorts by time, in the order of asking within one process even when the clock is set back.</summary>
/// <remarks>Thread-safe.</remarks>
internal static class DeadLetterId
{
    // Two processes, on two machines perhaps, may ask at the same tick.
    private static readonly string Process = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    private static long _last;

    public static string Next(DateTimeOffset now)
    {
        long last;
        long next;
        do
        {
            last = Volatile.Read(ref _last);
            next = Math.Max(last + 1, now.UtcTicks);
        }
        while (Interlocked.CompareExchange(ref _last, next, last) != last);

        return $"{next:x16}-{Process}";
    }
}
