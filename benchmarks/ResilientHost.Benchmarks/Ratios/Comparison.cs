namespace ResilientHost.Benchmarks.Ratios;

/// <summary>A row: our way and the peer's way to do the same thing.</summary>
/// <param name="Name">Stable name of the row: <c>slice/state-of-the-world</c>.</param>
/// <param name="Peer">What the peer is, in words.</param>
/// <param name="Create">Makes both sides; called once for each measurement.</param>
internal sealed record Comparison(string Name, string Peer, Func<(IOperation Ours, IOperation Peer)> Create)
{
    public Comparison(string name, string peer, Func<Effort, Measurement> measuredBy)
        : this(name, peer, static () => throw new InvalidOperationException("The row measures itself.")) => MeasuredBy = measuredBy;

    /// <summary>Threads that use the one instance of a side at the same time. More than one: throughput is compared, not time.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>What both sides have in common, and pay for, too: then what each adds to it is compared, in nanoseconds and in bytes.</summary>
    public Func<IOperation>? Base { get; init; }

    /// <summary>A row that slices of operations cannot measure (memory that is kept, programs that start) measures itself, its two sides in turns. <see cref="Create"/> is not called.</summary>
    public Func<Effort, Measurement>? MeasuredBy { get; init; }

    /// <summary>Whether what the whole process takes of the machine's processors is compared: of what runs in the background, whatever the traffic.</summary>
    public bool OfProcess { get; init; }
}

/// <summary>What a row measured.</summary>
/// <param name="Name">Name of the row.</param>
/// <param name="Ours">Median of our side, in <paramref name="Unit"/>.</param>
/// <param name="Peer">Median of the peer's side, in <paramref name="Unit"/>.</param>
/// <param name="Ratio">Median of the paired ratios, ours through peer's.</param>
/// <param name="Unit"><c>ns/op</c> (less is better), <c>ns added</c> (beyond the common base; less is better), <c>ops/s</c> (more is better), a unit of the row's own, or <c>machine</c>: 1 and the share of all processors' time, so that a ratio of 1.01 is a hundredth more of the machine.</param>
/// <param name="OursBytes">Bytes allocated by each operation of ours.</param>
/// <param name="PeerBytes">Bytes allocated by each operation of the peer.</param>
internal sealed record RatioRow(string Name, double Ours, double Peer, double Ratio, string Unit, double OursBytes, double PeerBytes);

/// <summary>A row with how far the medians of its rounds lay apart, which is what tells noise from news.</summary>
internal sealed record Measurement(RatioRow Row, double LowestRatio, double HighestRatio);
