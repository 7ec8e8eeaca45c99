using System.Numerics;
using System.Runtime.InteropServices;

namespace ResilientHost.Bulkheads;

/// <summary>
/// What all callers together want of a bulkhead. Callers are summed up in classes of about the same peak per weight, four to each doubling,
/// so that neither a change nor a question depends on how many there are. Needs the lock of its <see cref="FairShare"/>.
/// </summary>
internal sealed class FairShareDemand
{
    private const int ClassesPerDoubling = 4;
    private const int LowestExponent = -10;
    private const int Doublings = 48;
    private const int Classes = Doublings * ClassesPerDoubling;
    private const int MantissaBits = 52 - 2;
    private const long LowestBits = (long)(1023 + LowestExponent) * ClassesPerDoubling;
    private const int BitsPerWord = 64;

    // What is kept free may be too little with a probability of exp(-2).
    private const double Confidence = 2;
    private const double LargestReserve = 0.75;

    private readonly Sums[] _classes = new Sums[Classes];
    private readonly ulong[] _used = new ulong[(Classes + BitsPerWord - 1) / BitsPerWord];
    private int _callers;

    /// <summary>The peaks of all callers: more than that they do not want together.</summary>
    public double Peaks { get; private set; }

    /// <summary>Brings the sums up to what the caller wants now.</summary>
    public void Count(FairShareWish wish)
    {
        Remove(wish.Counted);
        wish.Counted = default;
        var peak = wish.Peak;
        if (peak > 0)
        {
            wish.Counted = new Entry(ClassOf(peak / wish.Weight), wish.Weight, wish.Inside, wish.Mean, peak);
            Add(wish.Counted);
        }
    }

    /// <summary>
    /// The room that the other callers are to find, when none of them gets more for its weight than <paramref name="level"/>: what they want on average, and a reserve for bursts (S. Bernstein's inequality, with
    /// R. Bhatia and C. Davis's bound of the variance). The reserve is never more than their peaks, nor than in proportion to the root of the room, as far as a full house that is shared well varies (square-root staffing; S. Halfin and W. Whitt, 1981):
    /// more would be taken from callers who could use it.
    /// </summary>
    public double OfOthers(FairShareWish wish, double level, double capacity)
    {
        double inside = 0, means = 0, peaks = 0, variance = 0, burst = 0;
        for (var word = 0; word < _used.Length; word++)
        {
            for (var bits = _used[word]; bits != 0; bits &= bits - 1)
            {
                var index = (word * BitsPerWord) + BitOperations.TrailingZeroCount(bits);
                var sums = _classes[index];
                if (wish.Counted.IsCounted && wish.Counted.Class == index)
                {
                    sums.Subtract(wish.Counted);
                }

                if (sums.Callers == 0)
                {
                    continue;
                }

                var peak = Math.Min(sums.Peak, level * sums.Weight);
                var mean = Math.Min(sums.Mean, peak);
                var beyond = (peak - mean) / sums.Callers;
                inside += Math.Min(sums.Inside, peak);
                means += mean;
                peaks += peak;
                variance += mean * beyond;
                burst = Math.Max(burst, beyond);
            }
        }

        var reserve = Math.Sqrt(2 * Confidence * variance) + (Confidence * burst / 3);

        // What is inside counts for all together: added up one by one, it would come on top of the mean of those who happen to have left.
        return Math.Min(peaks, Math.Max(inside, means + Math.Min(reserve, LargestReserve * Math.Sqrt(capacity))));
    }

    private static int ClassOf(double peakPerWeight) =>
        (int)Math.Clamp((BitConverter.DoubleToInt64Bits(peakPerWeight) >> MantissaBits) - LowestBits, 0, Classes - 1);

    private void Add(in Entry entry)
    {
        _callers++;
        Peaks += entry.Peak;
        _classes[entry.Class].Add(entry);
        _used[entry.Class / BitsPerWord] |= 1UL << (entry.Class % BitsPerWord);
    }

    private void Remove(in Entry entry)
    {
        if (entry.IsCounted)
        {
            _callers--;
            Peaks = _callers == 0 ? 0 : Math.Max(Peaks - entry.Peak, 0);
            ref var sums = ref _classes[entry.Class];
            sums.Subtract(entry);
            if (sums.Callers == 0)
            {
                _used[entry.Class / BitsPerWord] &= ~(1UL << (entry.Class % BitsPerWord));
            }
        }
    }

    /// <summary>What a caller has been summed up with.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct Entry(int Class, double Weight, int Inside, double Mean, double Peak)
    {
        public bool IsCounted => Peak > 0;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Sums
    {
        public int Callers;
        public int Inside;
        public double Weight;
        public double Mean;
        public double Peak;

        public void Add(in Entry entry)
        {
            Callers++;
            Inside += entry.Inside;
            Weight += entry.Weight;
            Mean += entry.Mean;
            Peak += entry.Peak;
        }

        public void Subtract(in Entry entry)
        {
            // Nobody left leaves nothing: what rounding has gathered must not pass for somebody's wish.
            Callers--;
            Inside -= entry.Inside;
            Weight = Callers == 0 ? 0 : Math.Max(Weight - entry.Weight, 0);
            Mean = Callers == 0 ? 0 : Math.Max(Mean - entry.Mean, 0);
            Peak = Callers == 0 ? 0 : Math.Max(Peak - entry.Peak, 0);
        }
    }
}
