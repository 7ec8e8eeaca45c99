using ResilientHost.Callers;

namespace ResilientHost.Bulkheads;

/// <summary>Validated options, frozen: built once per change, shared by every bulkhead that has the same ones.</summary>
internal sealed record BulkheadPolicy(BulkheadMode Mode, int Limit, int QueueLength, TimeSpan QueueTimeout, QueueOrder QueueOrder)
{
    /// <summary>Whether and how the limit is found at run time; then <see cref="Limit"/> is the highest.</summary>
    public AdaptiveLimit Adaptive { get; init; }

    public int MinLimit { get; init; } = 1;

    public int InitialLimit { get; init; } = 1;

    /// <summary>How callers are told apart that get a fair share each; <see langword="null"/>: nobody is.</summary>
    public CallerSelector? Partition { get; init; }

    public int MaxPartitions { get; init; }

    public PartitionWeights Weights { get; init; } = PartitionWeights.None;

    /// <summary>The limit of a bulkhead that has none.</summary>
    public const int NoLimit = int.MaxValue;

    // As Netflix concurrency-limits begins.
    private const int DefaultInitialLimit = 20;

    /// <summary>Freezes the options, or throws with everything that is wrong with them.</summary>
    public static BulkheadPolicy From(string name, BulkheadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        BulkheadOptionsValidator.ThrowIfInvalid(name, options);
        var limit = options.MaxConcurrency ?? NoLimit;
        return new BulkheadPolicy(options.Mode, limit, options.QueueLength, options.QueueTimeout, options.QueueOrder)
        {
            Adaptive = options.Adaptive,
            MinLimit = options.MinConcurrency,
            InitialLimit = options.InitialConcurrency ?? Math.Clamp(DefaultInitialLimit, options.MinConcurrency, Math.Max(limit, options.MinConcurrency)),
            Partition = CallerSelector.From(options.PartitionBy, options.PartitionKey),
            MaxPartitions = options.MaxPartitions,
            Weights = PartitionWeights.From(options.PartitionWeights),
        };
    }

    /// <summary>Whether a call that finds no room would wait for it.</summary>
    public bool CanQueue => Mode == BulkheadMode.Enforce && QueueLength > 0 && Limit != NoLimit;
}
