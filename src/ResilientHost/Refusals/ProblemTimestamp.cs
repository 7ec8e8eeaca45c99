using System.Buffers.Text;
using ResilientHost.Hosting;

namespace ResilientHost.Refusals;

/// <summary>The time that problems tell: ISO 8601, UTC. Thread-safe.</summary>
/// <remarks>
/// In a storm of refusals, reading the clock and formatting it would be a tenth of each. With the system's time it is done once per tick of the
/// kernel (4 to 10 ms); any other time provider is asked every time.
/// </remarks>
internal sealed class ProblemTimestamp(MonotonicClock clock)
{
    /// <summary>Bytes that <see cref="CopyTo"/> writes.</summary>
    public const int Length = 28;

    private Text _last = new(long.MinValue, []);

    public void CopyTo(Span<byte> destination)
    {
        if (!clock.HasTicks)
        {
            Format(destination);
            return;
        }

        var tick = clock.CoarseTimestamp();
        var last = Volatile.Read(ref _last);
        if (last.Tick != tick)
        {
            last = new Text(tick, new byte[Length]);
            Format(last.Utf8);
            Volatile.Write(ref _last, last);
        }

        last.Utf8.CopyTo(destination);
    }

    private void Format(Span<byte> destination) => Utf8Formatter.TryFormat(clock.UtcNow.UtcDateTime, destination, out _, 'O');

    private sealed record Text(long Tick, byte[] Utf8);
}
