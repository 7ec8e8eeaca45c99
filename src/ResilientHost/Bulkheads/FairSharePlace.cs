namespace ResilientHost.Bulkheads;

/// <summary>What a ticket names: who is inside, and since when. Used again for the next caller, in the next generation. Everything needs the owner's lock.</summary>
internal sealed class FairSharePlace(FairShare owner)
{
    public FairShare Owner { get; } = owner;

    public FairShareWish? Wish { get; set; }

    /// <summary>Moves on when the ticket ends, so that it ends once.</summary>
    public long Generation { get; set; }

    public double Since { get; set; }

    /// <summary>The next free place.</summary>
    public FairSharePlace? Next { get; set; }
}
