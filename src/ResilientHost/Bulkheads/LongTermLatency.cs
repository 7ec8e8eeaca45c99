using System.Runtime.InteropServices;

namespace ResilientHost.Bulkheads;

/// <summary>An exponential average that begins as the plain mean of its first values. Written by one thread at a time, read by any.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct LongTermLatency(int window, int warmUp)
{
    private double _value;
    private int _count;

    public readonly double Value => Volatile.Read(in _value);

    /// <summary>Whether the first values are in.</summary>
    public readonly bool IsWarm => _count >= warmUp;

    public void Add(double sample)
    {
        _count = Math.Min(_count + 1, warmUp + 1);
        var weight = _count <= warmUp ? 1.0 / _count : 2.0 / (window + 1);
        Volatile.Write(ref _value, _value + ((sample - _value) * weight));
    }

    public void Scale(double factor) => Volatile.Write(ref _value, _value * factor);
}
