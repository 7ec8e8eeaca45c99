namespace ResilientHost.Bulkheads;

/// <summary>In which list a caller is.</summary>
internal enum FairShareStanding : byte
{
    /// <summary>In none.</summary>
    None,

    /// <summary>It wants something, or has lately.</summary>
    Wanting,

    /// <summary>It may be forgotten.</summary>
    Idle,
}

/// <summary>A caller that is told apart from others. What it wants is its <see cref="Wish"/>; without one there is little to be kept, of a hundred thousand callers. Needs the lock of its <see cref="FairShare"/>.</summary>
/// <param name="key">Its key; <see langword="null"/>: those for whom there was no partition of their own.</param>
internal sealed class FairShareCaller(string? key)
{
    public string? Key { get; } = key;

    /// <summary>The key's hash, so that <see cref="FairShareIndex"/> need not look at the keys of others.</summary>
    public int Hash { get; } = key is null ? 0 : HashOf(key);

    /// <summary>What it wants; <see langword="null"/> while that is nothing.</summary>
    public FairShareWish? Wish { get; set; }

    public double UpdatedAt { get; set; }

    /// <summary>What its last wish has left: single numbers, for they are means that fade.</summary>
    public (float Mean, float Missed, float Hold) Remembered { get; set; } = (0, 0, float.NaN);

    public FairShareStanding Standing { get; set; }

    public FairShareCaller? Older { get; set; }

    public FairShareCaller? Newer { get; set; }

    /// <summary>The next one in the same place of <see cref="FairShareIndex"/>.</summary>
    public FairShareCaller? Next { get; set; }

    /// <summary>The hash by which a key is found. Of text it is keyed by the process: nobody can choose keys that meet in one place.</summary>
    public static int HashOf(string key) => key.GetHashCode(StringComparison.Ordinal);
}
