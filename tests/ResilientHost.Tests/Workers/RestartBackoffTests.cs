using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed class RestartBackoffTests
{
    private readonly Random _random = new(7);

    [Theory]
    [InlineData(0, 200)]
    [InlineData(1, 200)]
    [InlineData(2, 400)]
    [InlineData(3, 800)]
    [InlineData(8, 25_600)]
    [InlineData(9, 30_000)]
    [InlineData(int.MaxValue, 30_000)]
    public void Delay_WithoutJitter_DoublesUpToTheLongest(int failures, int milliseconds) =>
        RestartBackoff.Delay(new(new() { RestartJitter = 0 }), failures, _random).ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    [Fact]
    public void Delay_NoDelay_IsNoneHoweverManyFailures() =>
        RestartBackoff.Delay(new(new() { RestartDelay = TimeSpan.Zero, RestartBackoff = 100 }), int.MaxValue, _random).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void Delay_WithJitter_SpreadsBothWaysAndTheLongestHoldsAfterIt()
    {
        WorkerPolicy policy = new(new() { RestartDelay = TimeSpan.FromSeconds(10), MaxRestartDelay = TimeSpan.FromSeconds(11), RestartJitter = 0.2 });

        var delays = Enumerable.Range(0, 1000).Select(_ => RestartBackoff.Delay(policy, 1, _random)).ToList();

        delays.Min().ShouldBeInRange(TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(8.1));
        delays.Max().ShouldBe(TimeSpan.FromSeconds(11));
        delays.Count(delay => delay < TimeSpan.FromSeconds(10)).ShouldBeInRange(430, 570);
    }
}
