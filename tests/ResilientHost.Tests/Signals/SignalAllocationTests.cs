using Names = ResilientHost.ResilienceDiagnostics.SignalNames;

namespace ResilientHost.Tests.Signals;

public class SignalAllocationTests
{
    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    [InlineData("v2-nested")]
    [InlineData("hybrid")]
    [InlineData("none")]
    public void Read_OfRecordedHost_AllocatesNothing(string kind)
    {
        using var host = SignalFixture.Of(kind);
        var sources = host.Signals.Sources.Where(source => source.Name != Names.ThreadPoolDelay).ToArray();
        var best = long.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            host.Time.Advance(TimeSpan.FromSeconds(6));
            var now = host.Clock.Timestamp();
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var source in sources)
            {
                source.Read(now);
            }

            best = Math.Min(best, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        best.ShouldBe(0);
    }
}
