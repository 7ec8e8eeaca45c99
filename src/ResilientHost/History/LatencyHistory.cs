namespace ResilientHost.History;

/// <summary>The sampled durations of the last two minutes or a little less, and their percentiles. Not thread-safe.</summary>
internal sealed class LatencyHistory
{
    /// <summary>How long each of the slots is filled.</summary>
    public const int SlotSeconds = 30;

    private const int Slots = 4;

    private readonly ushort[] _counts = new ushort[Slots * LatencyBuckets.Count];
    private int _slot;

    public (double? P50, double? P90, double? P99) Percentiles { get; private set; }

    /// <summary>Whether anything is kept.</summary>
    public bool IsEmpty => Percentiles.P50 is null;

    public void Add(ReadOnlySpan<int> durations)
    {
        var slot = Slot(_slot);
        for (var bucket = 0; bucket < slot.Length; bucket++)
        {
            if (durations[bucket] != 0)
            {
                slot[bucket] = (ushort)Math.Min(slot[bucket] + durations[bucket], ushort.MaxValue);
            }
        }

        Sum();
    }

    /// <summary>Forgets the oldest slots. To be called every <see cref="SlotSeconds"/>.</summary>
    public void Rotate(int slots)
    {
        for (var i = Math.Min(slots, Slots); i > 0; i--)
        {
            _slot = (_slot + 1) % Slots;
            Slot(_slot).Clear();
        }

        Sum();
    }

    private Span<ushort> Slot(int slot) => _counts.AsSpan(slot * LatencyBuckets.Count, LatencyBuckets.Count);

    private void Sum()
    {
        Span<int> sums = stackalloc int[LatencyBuckets.Count];
        sums.Clear();
        for (var slot = 0; slot < Slots; slot++)
        {
            var counts = Slot(slot);
            for (var bucket = 0; bucket < sums.Length; bucket++)
            {
                sums[bucket] += counts[bucket];
            }
        }

        Percentiles = LatencyBuckets.Percentiles<int>(sums);
    }
}
