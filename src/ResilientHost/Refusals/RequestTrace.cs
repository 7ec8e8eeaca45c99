using System.Text;

namespace ResilientHost.Refusals;

/// <summary>A request's trace id: 32 lower-case hex digits.</summary>
internal readonly struct RequestTrace
{
    /// <summary>Digits of a trace id.</summary>
    public const int Length = 32;

    private readonly string? _text;
    private readonly GeneratedTraceId? _generated;

    public RequestTrace(string text) => _text = text;

    public RequestTrace(GeneratedTraceId generated) => _generated = generated;

    /// <summary>Writes the digits.</summary>
    /// <param name="destination">Takes them as ASCII; at least <see cref="Length"/> bytes.</param>
    public void CopyTo(Span<byte> destination)
    {
        if (_generated is { } generated)
        {
            generated.CopyTo(destination);
        }
        else
        {
            Encoding.ASCII.GetBytes(_text, destination);
        }
    }

    /// <summary>The digits.</summary>
    public override string ToString() => _text ?? _generated!.ToString();
}
