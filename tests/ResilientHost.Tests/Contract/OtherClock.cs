using System.Numerics;

namespace ResilientHost.Tests.Contract;

/// <summary>Manual time whose timestamps have another frequency and another beginning, as other machines have.</summary>
internal sealed class OtherClock(ManualTimeProvider time, long frequency, long start = 0) : TimeProvider
{
    public override long TimestampFrequency => frequency;

    public override long GetTimestamp() => (long)(start + ((BigInteger)time.GetTimestamp() * frequency / TimeSpan.TicksPerSecond));

    public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        time.CreateTimer(callback, state, dueTime, period);
}
