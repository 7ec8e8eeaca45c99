namespace ResilientHost.Refusals;

/// <summary>Where the body of a problem is put together, one a thread.</summary>
/// <remarks>Whoever has taken one owns it. It is given back when its bytes are written, and left to the collector when they may still be read.</remarks>
internal static class ProblemBuffer
{
    private const int Shortest = 512;

    [ThreadStatic]
    private static byte[]? _idle;

    /// <summary>A buffer of at least so many bytes.</summary>
    public static byte[] Take(int length)
    {
        var idle = _idle;
        _idle = null;
        return idle is not null && idle.Length >= length ? idle : new byte[Math.Max(length, Shortest)];
    }

    /// <summary>Keeps the buffer for the thread's next problem. Nobody may read it any more.</summary>
    public static void GiveBack(byte[] buffer) => _idle = buffer;
}
