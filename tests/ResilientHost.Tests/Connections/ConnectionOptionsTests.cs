using ResilientHost.Connections;

namespace ResilientHost.Tests.Connections;

public class ConnectionOptionsTests
{
    [Fact]
    public void Errors_Defaults_AreValid()
    {
        var options = new ConnectionOptions();

        options.Enabled.ShouldBeTrue();
        options.ReservedDescriptors.ShouldBe(64);
        options.SurvivalConnectionsPerSecond.ShouldBe(500);
        Errors(options).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(100_000, true)]
    [InlineData(100_001, false)]
    public void Errors_ReservedDescriptors_HasBounds(int reserved, bool isValid) =>
        Errors(new ConnectionOptions { ReservedDescriptors = reserved }).Count.ShouldBe(isValid ? 0 : 1);

    [Theory]
    [InlineData(null, true)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(1_000_000, true)]
    [InlineData(1_000_001, false)]
    public void Errors_SurvivalConnectionsPerSecond_HasBounds(int? rate, bool isValid) =>
        Errors(new ConnectionOptions { SurvivalConnectionsPerSecond = rate }).Count.ShouldBe(isValid ? 0 : 1);

    [Fact]
    public void Errors_BothWrong_TellRuleValueAndUnitOfEach() =>
        Errors(new ConnectionOptions { ReservedDescriptors = -5, SurvivalConnectionsPerSecond = 0 }).ShouldBe(
        [
            "Connections: ReservedDescriptors must be 0 to 100000 descriptors, 0 for no reserve, but is -5.",
            "Connections: SurvivalConnectionsPerSecond must be 1 to 1000000 connections per second, or null for no limit, but is 0.",
        ]);

    [Theory]
    [InlineData(64, 1024, 64)]
    [InlineData(64, 256, 64)]
    [InlineData(64, 255, 63)]
    [InlineData(64, 100, 25)]
    [InlineData(0, 1024, 0)]
    [InlineData(100_000, 1_048_576, 100_000)]
    public void ReserveOf_SmallLimit_TakesAQuarterAtMost(int reserved, int limit, int expected) =>
        new ConnectionPolicy(new ConnectionOptions { ReservedDescriptors = reserved }).ReserveOf(limit).ShouldBe(expected);

    [Fact]
    public void Policy_OptionsChangedLater_IsNotAffected()
    {
        var options = new ConnectionOptions { ReservedDescriptors = 10, SurvivalConnectionsPerSecond = 5 };
        var policy = new ConnectionPolicy(options);
        (options.Enabled, options.ReservedDescriptors, options.SurvivalConnectionsPerSecond) = (false, 1, null);

        (policy.Enabled, policy.ReservedDescriptors, policy.SurvivalConnectionsPerSecond).ShouldBe((true, 10, 5));
    }

    private static List<string> Errors(ConnectionOptions options) => [.. ConnectionOptionsValidator.Errors(options, environment: null)];
}
