using System.Numerics;
using System.Runtime.CompilerServices;

namespace ResilientHost.Hosting;

/// <summary>Which processor the thread runs on, as of a moment ago: for spreading writes, where a wrong answer only costs time.</summary>
/// <remarks>
/// <see cref="Thread.GetCurrentProcessorId"/> asks the operating system anew each time where the runtime has found that to be fast; it was a quarter of a closed circuit's call.
/// A thread stays where it is for milliseconds: here it asks again after so many looks.
/// </remarks>
internal static class NearbyProcessor
{
    private const int MostPlaces = 64;
    private const int LooksUntilRenewal = 64;
    private const int LookBits = 8;
    private const int LookMask = (1 << LookBits) - 1;

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
            if ((seen & LookMask) == 0)
            {
                return Renew();
            }

            own = seen - 1;
            return seen >> LookBits;
        }
    }

    /// <summary>As <see cref="Place"/>, for who finds out when it is wrong: it stays what it is until the thread asks <see cref="Renew"/>, or for <see cref="Place"/> often enough.</summary>
    /// <remarks>Nothing is written. A count that is kept with each look is a store that the next interlocked operation waits for: a sixth of a closed circuit's call.</remarks>
    public static int LastPlace
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var seen = _cached;
            return seen == 0 ? Renew() : seen >> LookBits;
        }
    }

    /// <summary>Makes the place known before it is needed. Code that is compiled for good before anybody asked calls a helper each time, instead of reading the thread's memory itself.</summary>
    public static void Prepare() => Renew();

    /// <summary>Asks the operating system.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Renew()
    {
        var place = Thread.GetCurrentProcessorId() & (Places - 1);
        _cached = (place << LookBits) | LooksUntilRenewal;
        return place;
    }
}
