using ResilientHost.Dashboard;

namespace ResilientHost.Tests.Dashboard;

public sealed class DashboardOptionsValidatorTests
{
    public static TheoryData<Action<DashboardOptions>, string?> Rows() => new()
    {
        { _ => { }, null },
        { o => o.MaxCircuits = 1, null },
        { o => o.MaxCircuits = 10_000, null },
        { o => o.MaxCircuits = 0, "Dashboard: MaxCircuits must be 1 to 10000 circuits, but is 0." },
        { o => o.MaxCircuits = 10_001, "Dashboard: MaxCircuits must be 1 to 10000 circuits, but is 10001." },
        { o => o.MaxStreams = 0, null },
        { o => o.MaxStreams = 10_000, null },
        { o => o.MaxStreams = -1, "Dashboard: MaxStreams must be 0 to 10000 streams, but is -1." },
        { o => o.MaxStreams = 10_001, "Dashboard: MaxStreams must be 0 to 10000 streams, but is 10001." },
        { o => o.MaxStreamsPerUser = 1, null },
        { o => o.MaxStreamsPerUser = 10_000, null },
        { o => o.MaxStreamsPerUser = 0, "Dashboard: MaxStreamsPerUser must be 1 to 10000 streams, but is 0." },
        { o => o.MaxStreamsPerUser = 10_001, "Dashboard: MaxStreamsPerUser must be 1 to 10000 streams, but is 10001." },
        { o => o.Heartbeat = TimeSpan.FromSeconds(1), null },
        { o => o.Heartbeat = TimeSpan.FromMinutes(5), null },
        { o => o.Heartbeat = TimeSpan.FromSeconds(0.999), "Dashboard: Heartbeat must be 00:00:01 to 00:05:00 (d.hh:mm:ss), but is 00:00:00.9990000." },
        { o => o.Heartbeat = TimeSpan.FromSeconds(301), "Dashboard: Heartbeat must be 00:00:01 to 00:05:00 (d.hh:mm:ss), but is 00:05:01." },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Errors_OnEachBoundAndBeyond_NameTheRule(Action<DashboardOptions> change, string? error)
    {
        var options = new DashboardOptions();
        change(options);

        DashboardOptionsValidator.Errors(options, environment: null).ShouldBe(error is null ? [] : [error]);
    }

    [Fact]
    public void Errors_OfSeveral_AreToldAtOnce() =>
        DashboardOptionsValidator.Errors(new() { MaxCircuits = 0, MaxStreams = -1, MaxStreamsPerUser = 0, Heartbeat = default }, environment: null).Count().ShouldBe(4);
}
