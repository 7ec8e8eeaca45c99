namespace ResilientHost.Bulkheads;

/// <summary>What a ticket names: who is inside, and since when. Everything but <see cref="TryEnd"/> belongs to whoever holds the owner's lock, or has just taken or ended the place.</summary>
internal sealed class FairSharePlace(FairShare owner)
{
    private long _generation;

    public FairShare Owner { get; } = owner;

    /// <summary>Of a call that came while the lock was held: whose it is, until it has been counted. Such a place serves one call; others are used again for the next caller, in the next generation.</summary>
    public string? Key { get; init; }

    /// <summary>Whose call has been counted here; <see langword="null"/> before, and when it has left.</summary>
    public FairShareWish? Wish { get; set; }

    /// <summary>Moves on when the ticket ends.</summary>
    public long Generation => Volatile.Read(ref _generation);

    public double Since { get; set; }

    /// <summary>When the ticket ended.</summary>
    public double Until { get; set; }

    /// <summary>Ended because the bulkhead had no room.</summary>
    public bool IsRefused { get; set; }

    /// <summary>Among those who left and are still counted.</summary>
    public bool HasLeft { get; set; }

    /// <summary>The next free place, or the next of those who came and are not counted.</summary>
    public FairSharePlace? Next { get; set; }

    /// <summary>The next of those who left and are still counted.</summary>
    public FairSharePlace? NextLeft { get; set; }

    /// <summary>Ends a ticket. Thread-safe.</summary>
    /// <returns><see langword="false"/> when it has ended before.</returns>
    public bool TryEnd(long generation) => Interlocked.CompareExchange(ref _generation, generation + 1, generation) == generation;
}
