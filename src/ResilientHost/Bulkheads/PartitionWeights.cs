namespace ResilientHost.Bulkheads;

/// <summary>How much more than others some callers may have. Immutable; equal when all weights are.</summary>
internal sealed class PartitionWeights : IEquatable<PartitionWeights>
{
    private readonly Dictionary<string, double> _weights;

    private PartitionWeights(IEnumerable<KeyValuePair<string, double>> weights) => _weights = new(weights, StringComparer.Ordinal);

    /// <summary>Everybody counts the same.</summary>
    public static PartitionWeights None { get; } = new([]);

    public static PartitionWeights From(IDictionary<string, double> weights) => weights.Count == 0 ? None : new(weights);

    /// <summary>The weight of a caller; 1 unless it was given another.</summary>
    public double Of(string key) => _weights.GetValueOrDefault(key, 1);

    public bool Equals(PartitionWeights? other) =>
        other is not null && (ReferenceEquals(this, other) || (_weights.Count == other._weights.Count && _weights.All(pair => other._weights.TryGetValue(pair.Key, out var weight) && weight.Equals(pair.Value))));

    public override bool Equals(object? obj) => Equals(obj as PartitionWeights);

    public override int GetHashCode() => _weights.Count;
}
