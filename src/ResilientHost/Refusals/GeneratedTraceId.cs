using System.Runtime.InteropServices;

namespace ResilientHost.Refusals;

/// <summary>The trace id of a request that nobody traces: random, never zero. Thread-safe.</summary>
/// <remarks>Kept as a number: the body of a problem has room for its digits, and most ids are never asked for as a string.</remarks>
internal sealed class GeneratedTraceId
{
    private readonly UInt128 _value = Draw();
    private string? _text;

    /// <summary>Writes the 32 digits.</summary>
    /// <param name="destination">Takes them as ASCII; at least <see cref="RequestTrace.Length"/> bytes.</param>
    public void CopyTo(Span<byte> destination)
    {
        if (!Convert.TryToHexStringLower(Bytes, destination, out _))
        {
            throw new ArgumentException("There is no room for the digits.", nameof(destination));
        }
    }

    /// <summary>The 32 digits.</summary>
    public override string ToString() => _text ??= Convert.ToHexStringLower(Bytes);

    private ReadOnlySpan<byte> Bytes => MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in _value));

    private static UInt128 Draw()
    {
        var value = default(UInt128);
        do
        {
            Random.Shared.NextBytes(MemoryMarshal.AsBytes(new Span<UInt128>(ref value)));
        }
        while (value == default);
        return value;
    }
}
