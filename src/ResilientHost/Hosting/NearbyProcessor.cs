using System.Numerics;
using System.Runtime.CompilerServices;

namespace ResilientHost.Hosting;

/// <summary>Which processor the thread runs on, as of a moment ago: for spreading writes, where a wrong answer only costs time.</summary>
/// <remarks>
/// <see cref="Thread.GetCurrentProcessorId"/> asks the kernel's page each time where the runtime finds that fast, which is a third of what a closed circuit costs.
/// A thread stays where it is for milliseconds: it asks again after so many calls.
/// </remarks>
internal static class NearbyProcessor
{
    private const int MostPlaces = 64;
    private const int CallsUntilRenewal = 64;
    private const int CallBits = 8;
    private const int CallMask = (1 << CallBits) - 1;

    // In the same word: what is looked up with each call is found at once, and no type has to be initialized for it.
    [ThreadStatic]
    private static int _cached;

    /// <summary>As many as there are processors, rounded up to a power of two; 64 at most.</summary>
    public static int Places => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, MostPlaces));

    /// <summary>The processor's number, below <see cref="Places"/>.</summary>
    public static int Place
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            ref var own = ref _cached;
            var seen = own;
            if ((seen & CallMask) == 0)
            {
                return Renew();
            }

            own = seen - 1;
            return seen >> CallBits;
        }
    }

    /// <summary>Makes the place known before it is needed: code that is compiled before reaches it by a call instead of one instruction.</summary>
    public static void Prepare() => Renew();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Renew()
    {
        var place = Thread.GetCurrentProcessorId() & (Places - 1);
        _cached = (place << CallBits) | CallsUntilRenewal;
        return place;
    }
}
