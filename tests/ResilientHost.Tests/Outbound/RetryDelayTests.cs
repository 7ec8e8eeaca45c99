using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

public class RetryDelayTests
{
    [Theory]
    [InlineData(1, 0.0, 100)]
    [InlineData(1, 0.5, 200)]
    [InlineData(1, 1.0, 300)]
    [InlineData(2, 0.5, 400)]
    [InlineData(3, 0.5, 800)]
    [InlineData(9, 0.5, 10_000)]
    public void Of_Default_IsSpreadEvenlyAndBounded(int failed, double random, int milliseconds) =>
        RetryDelay.Of(new(new RetryOptions()), failed, null, random).ShouldBe(TimeSpan.FromMilliseconds(milliseconds), TimeSpan.FromMilliseconds(0.01));

    [Fact]
    public void Of_LargestOptions_DoesNotOverflow()
    {
        var policy = new RetryPolicy(new RetryOptions { Delay = TimeSpan.FromHours(1), MaxDelay = TimeSpan.FromHours(1), Backoff = 100, MaxAttempts = 10, Jitter = 1 });

        RetryDelay.Of(policy, 9, null, 0.999).ShouldBe(TimeSpan.FromHours(1));
        RetryDelay.Of(policy, 9, null, 0).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void Of_RetryAfter_IsHeededWhereItIsLongerAndNotAtAllWhereItMustNotBe()
    {
        RetryDelay.Of(new(new RetryOptions()), 1, TimeSpan.FromSeconds(3), 0.5).ShouldBe(TimeSpan.FromSeconds(3));
        RetryDelay.Of(new(new RetryOptions()), 1, TimeSpan.FromMilliseconds(1), 0.5).ShouldBe(TimeSpan.FromMilliseconds(200));
        RetryDelay.Of(new(new RetryOptions()), 1, TimeSpan.MaxValue, 0.5).ShouldBe(TimeSpan.FromSeconds(10));
        RetryDelay.Of(new(new RetryOptions { MaxRetryAfter = TimeSpan.Zero }), 1, TimeSpan.FromSeconds(3), 0.5).ShouldBe(TimeSpan.FromMilliseconds(200));
    }

    [Fact]
    public void Of_NoDelay_StaysNone() =>
        RetryDelay.Of(new(new RetryOptions { Delay = TimeSpan.Zero }), 100_000, null, 0.5).ShouldBe(TimeSpan.Zero);
}
