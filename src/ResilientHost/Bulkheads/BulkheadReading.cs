namespace ResilientHost.Bulkheads;

/// <summary>What the bulkheads of a group come to at one moment, for all instruments of one collection. Thread-safe.</summary>
/// <param name="snapshot">The sums of their values.</param>
/// <param name="totals">What they have refused.</param>
/// <param name="timestamp">When it was taken.</param>
internal sealed class BulkheadReading(BulkheadSnapshot snapshot, BulkheadTotals totals, long timestamp)
{
    private int _readers;

    public BulkheadSnapshot Snapshot { get; } = snapshot;

    public BulkheadTotals Totals { get; } = totals;

    public long Timestamp { get; } = timestamp;

    /// <summary>Whether this instrument has not had it yet. One that comes again belongs to another collection.</summary>
    public bool TryTake(BulkheadInstrument instrument) => (Interlocked.Or(ref _readers, (int)instrument) & (int)instrument) == 0;
}
