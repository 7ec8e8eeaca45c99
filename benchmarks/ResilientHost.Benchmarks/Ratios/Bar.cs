namespace ResilientHost.Benchmarks.Ratios;

/// <summary>Which way a ratio must lie.</summary>
internal enum RatioLimit
{
    /// <summary>Only the bytes are judged.</summary>
    None,

    /// <summary>Time: less is better.</summary>
    AtMost,

    /// <summary>Throughput: more is better.</summary>
    AtLeast,

    /// <summary>Our figure by itself, in the row's unit: less is better.</summary>
    OursAtMost,

    /// <summary>Our figure beyond the peer's, in the row's unit: less is better.</summary>
    AddedAtMost,
}

/// <summary>Which bytes are judged. Bytes repeat exactly, so their bars have no allowance.</summary>
internal enum BytesLimit
{
    /// <summary>Only the ratio is judged.</summary>
    None,

    /// <summary>Our bytes per operation.</summary>
    Ours,

    /// <summary>Our bytes per operation beyond the peer's.</summary>
    Added,
}

/// <summary>What a row must keep: tight enough to catch a doubling, with room for the noise of a busy machine.</summary>
internal sealed record Bar(string Row, RatioLimit RatioLimit, double Ratio, BytesLimit BytesLimit, double Bytes)
{
    /// <summary>What the row is meant to reach on a quiet machine; <see langword="null"/> where that is the bar itself.</summary>
    public double? Aim { get; init; }

    /// <summary>What <see cref="Aim"/> is a limit of, where that is something else than the bar's: nanoseconds are an aim, but a check must hold on machines of any speed.</summary>
    public RatioLimit? AimLimit { get; init; }

    /// <summary>Whether the row reaches what it is meant to.</summary>
    public bool Reaches(RatioRow row) => AsAim().Holds(row);

    /// <summary>The aim in words; empty where it is the bar itself.</summary>
    public string AimText() => Aim is null ? string.Empty : (AsAim() with { BytesLimit = BytesLimit.None }).Text();

    public bool Holds(RatioRow row) => RatioHolds(row) && BytesHold(row);

    public string Text()
    {
        var ratio = RatioLimit switch
        {
            RatioLimit.AtMost => $"≤ {Ratio:0.####}",
            RatioLimit.AtLeast => $"≥ {Ratio:0.####}",
            RatioLimit.OursAtMost => $"ours ≤ {Ratio:0.####}",
            RatioLimit.AddedAtMost => $"ours ≤ peer + {Ratio:0.####}",
            _ => string.Empty,
        };
        var bytes = BytesLimit switch
        {
            BytesLimit.Ours => $"{Bytes:0} B",
            BytesLimit.Added => $"+{Bytes:0} B",
            _ => string.Empty,
        };
        return string.Join(", ", new[] { ratio, bytes }.Where(text => text.Length > 0));
    }

    private Bar AsAim() => this with { Ratio = Aim ?? Ratio, RatioLimit = AimLimit ?? RatioLimit };

    private bool RatioHolds(RatioRow row) => RatioLimit switch
    {
        RatioLimit.AtMost => row.Ratio <= Ratio,
        RatioLimit.AtLeast => row.Ratio >= Ratio,
        RatioLimit.OursAtMost => row.Ours <= Ratio,
        RatioLimit.AddedAtMost => row.Ours - row.Peer <= Ratio,
        _ => true,
    };

    private bool BytesHold(RatioRow row) => BytesLimit switch
    {
        BytesLimit.Ours => row.OursBytes <= Bytes,
        BytesLimit.Added => row.OursBytes - row.PeerBytes <= Bytes,
        _ => true,
    };
}
