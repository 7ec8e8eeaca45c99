namespace ResilientHost.Bulkheads;

/// <summary>What a ticket names: who is inside, and since when. Used again for the next caller, in the next generation. Everything but <see cref="TryEnd"/> belongs to whoever holds the owner's lock, or has just taken or ended the place.</summary>
internal sealed class FairSharePlace(FairShare owner)
{
    private long _generation;

    public FairShare Owner { get; } = owner;

    /// <summary>Who is inside, as long as that has not been counted; then <see cref="Wish"/>.</summary>
    public string? Key { get; set; }

    public FairShareWish? Wish { get; set; }

    /// <summary>Moves on when the ticket ends.</summary>
    public long Generation => Volatile.Read(ref _generation);

    public double Since { get; set; }

    /// <summary>When the ticket ended.</summary>
    public double Until { get; set; }

    /// <summary>Ended because the bulkhead had no room.</summary>
    public bool IsRefused { get; set; }

    /// <summary>The next free place, or the next of those who came and are not counted.</summary>
    public FairSharePlace? Next { get; set; }

    /// <summary>The next of those who left and are still counted.</summary>
    public FairSharePlace? NextLeft { get; set; }

    /// <summary>Ends a ticket. Thread-safe.</summary>
    /// <returns><see langword="false"/> when it has ended before.</returns>
    public bool TryEnd(long generation) => Interlocked.CompareExchange(ref _generation, generation + 1, generation) == generation;
}
