using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

public class FallbackOptionsTests
{
    [Fact]
    public void Errors_Defaults_AreValid()
    {
        var options = new FallbackOptions();

        options.Enabled.ShouldBeTrue();
        options.MaxConcurrency.ShouldBe(10);
        options.Timeout.ShouldBe(TimeSpan.FromSeconds(2));
        options.MaxStaleResponseBytes.ShouldBe(262_144);
        options.MaxStaleStoreBytes.ShouldBe(67_108_864);
        Errors(options).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(100_000, true)]
    [InlineData(100_001, false)]
    public void Errors_MaxConcurrency_HasBounds(int value, bool isValid) =>
        Errors(new FallbackOptions { MaxConcurrency = value }).Count.ShouldBe(isValid ? 0 : 1);

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(TimeSpan.TicksPerHour, true)]
    [InlineData(TimeSpan.TicksPerHour + 1, false)]
    public void Errors_Timeout_HasBounds(long ticks, bool isValid) =>
        Errors(new FallbackOptions { Timeout = TimeSpan.FromTicks(ticks) }).Count.ShouldBe(isValid ? 0 : 1);

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(67_108_864, true)]
    [InlineData(67_108_865, false)]
    public void Errors_MaxStaleResponseBytes_HasBounds(int bytes, bool isValid) =>
        Errors(new FallbackOptions { MaxStaleResponseBytes = bytes, MaxStaleStoreBytes = long.MaxValue }).Count.ShouldBe(isValid ? 0 : 1);

    [Theory]
    [InlineData(262_143, false)]
    [InlineData(262_144, true)]
    public void Errors_MaxStaleStoreBytes_HoldsOneResponse(long bytes, bool isValid) =>
        Errors(new FallbackOptions { MaxStaleStoreBytes = bytes }).Count.ShouldBe(isValid ? 0 : 1);

    [Fact]
    public void Errors_AllWrong_TellRuleValueAndUnitOfEach() =>
        Errors(new FallbackOptions { MaxConcurrency = 0, Timeout = TimeSpan.Zero, MaxStaleResponseBytes = 0, MaxStaleStoreBytes = -1 }).ShouldBe(
        [
            "Fallbacks: MaxConcurrency must be 1 to 100000 calls, but is 0. To switch fallbacks off, set Enabled to false.",
            "Fallbacks: Timeout must be more than 00:00:00 and at most 01:00:00 (hh:mm:ss), but is 00:00:00.",
            "Fallbacks: MaxStaleResponseBytes must be 1 to 67108864 bytes, but is 0.",
            "Fallbacks: MaxStaleStoreBytes must be at least MaxStaleResponseBytes (0 bytes), but is -1.",
        ]);

    private static List<string> Errors(FallbackOptions options) => [.. FallbackOptionsValidator.Errors(options, environment: null)];
}
