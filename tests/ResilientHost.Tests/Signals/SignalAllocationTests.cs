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
        AllocatedBytes.LeastOf(() =>
        {
            host.Time.Advance(TimeSpan.FromSeconds(6));
            var now = host.Clock.Timestamp();
            foreach (var source in sources)
            {
                source.Read(now);
            }
        }).ShouldBe(0);
    }
}
