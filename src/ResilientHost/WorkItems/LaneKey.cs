using System.Runtime.InteropServices;

namespace ResilientHost.WorkItems;

/// <summary>What items are ordered by, with the hash code that it had: a key that changes later, or whose members throw, does its harm when the item is taken and not after.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct LaneKey(object? key) : IEquatable<LaneKey>
{
    private readonly object? _key = key;
    private readonly int _hashCode = key?.GetHashCode() ?? 0;

    public bool Equals(LaneKey other) => ReferenceEquals(_key, other._key) || (_hashCode == other._hashCode && Equals(_key, other._key));

    public override bool Equals(object? obj) => obj is LaneKey other && Equals(other);

    public override int GetHashCode() => _hashCode;
}

/// <summary>The items of one key: one under way, the others behind it. Not thread-safe; the loop of the processing owns it.</summary>
internal sealed class ItemLane<T>(LaneKey key)
{
    public LaneKey Key { get; } = key;

    /// <summary>The item whose turn it is: it runs, or waits for its retry, or for its dead letter to be kept.</summary>
    public HeldItem<T>? Current { get; set; }

    /// <summary>Whether an abandoned run still works on an item of this key.</summary>
    public bool IsBlocked { get; set; }

    public Queue<HeldItem<T>> Waiting { get; } = new();
}
