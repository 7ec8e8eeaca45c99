using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed class IterationDelaysTests
{
    [Theory]
    [InlineData(1, 0.2)]
    [InlineData(2, 0.4)]
    [InlineData(5, 3.2)]
    [InlineData(9, 30)]
    [InlineData(100_000, 30)]
    public void DelayOf_FailuresInARow_GrowsToTheLongest(int failures, double seconds) =>
        IterationDelays.DelayOf(new WorkerPolicy(new WorkerOptions { RestartJitter = 0 }), failures, new Random(1)).TotalSeconds.ShouldBe(seconds, 1e-6);

    [Fact]
    public void DelayOf_WithJitter_StaysWithinItAndBelowTheLongest()
    {
        var policy = new WorkerPolicy(new WorkerOptions { RestartJitter = 0.5 });
        var random = new Random(1);
        var first = Enumerable.Range(0, 1_000).Select(_ => IterationDelays.DelayOf(policy, 1, random).TotalMilliseconds).ToList();

        first.Min().ShouldBeInRange(100, 110);
        first.Max().ShouldBeInRange(290, 300);
        Enumerable.Range(0, 1_000).Max(_ => IterationDelays.DelayOf(policy, 50, random)).ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void DelayOf_WithoutADelay_IsNone() =>
        IterationDelays.DelayOf(new WorkerPolicy(new WorkerOptions { RestartDelay = TimeSpan.Zero, RestartBackoff = 100 }), 10_000, new Random(1)).ShouldBe(TimeSpan.Zero);
}
