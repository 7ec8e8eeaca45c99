using System.Runtime.CompilerServices;

namespace ResilientHost.Hosting;

/// <summary>Which processor the thread runs on, as of a moment ago: for spreading writes, where a wrong answer only costs time.</summary>
/// <remarks>
/// <see cref="Thread.GetCurrentProcessorId"/> asks the kernel's page each time where the runtime finds that fast, which is a third of what a closed circuit costs.
/// A thread stays where it is for milliseconds: it asks again after so many calls.
/// </remarks>
internal static class NearbyProcessor
{
    private const int CallsUntilRenewal = 64;
    private const int CallBits = 8;
    private const int CallMask = (1 << CallBits) - 1;

    [ThreadStatic]
    private static int cached;

    /// <summary>The number; not negative, and beyond the number of processors where the system numbers them so.</summary>
    public static int Number
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            ref var own = ref cached;
            var seen = own;
            if ((seen & CallMask) == 0)
            {
                return Renew();
            }

            own = seen - 1;
            return seen >> CallBits;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Renew()
    {
        var number = Thread.GetCurrentProcessorId() & (int.MaxValue >> CallBits);
        cached = (number << CallBits) | CallsUntilRenewal;
        return number;
    }
}
