using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Timeouts;

public class TimeoutOptionsTests
{
    [Fact]
    public void Errors_Defaults_AreValid()
    {
        var options = new TimeoutOptions();

        options.Enabled.ShouldBeTrue();
        options.Default.ShouldBeNull();
        options.Grace.ShouldBe(TimeSpan.FromSeconds(1));
        Errors(options).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(TimeSpan.TicksPerDay, true)]
    [InlineData(TimeSpan.TicksPerDay + 1, false)]
    public void Errors_Default_HasBounds(long ticks, bool isValid)
    {
        Errors(new TimeoutOptions { Default = TimeSpan.FromTicks(ticks) }).Count.ShouldBe(isValid ? 0 : 1);
        TimeoutOptionsValidator.IsTimeout(TimeSpan.FromTicks(ticks)).ShouldBe(isValid);
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(TimeSpan.TicksPerHour, true)]
    [InlineData(TimeSpan.TicksPerHour + 1, false)]
    public void Errors_Grace_HasBounds(long ticks, bool isValid) =>
        Errors(new TimeoutOptions { Grace = TimeSpan.FromTicks(ticks) }).Count.ShouldBe(isValid ? 0 : 1);

    [Fact]
    public void Errors_BothWrong_TellRuleValueAndUnitOfEach() =>
        Errors(new TimeoutOptions { Default = TimeSpan.FromDays(2), Grace = TimeSpan.Zero }).ShouldBe(
        [
            "Timeouts: Default must be more than 00:00:00 and at most 1.00:00:00 (d.hh:mm:ss), or null for none, but is 2.00:00:00.",
            "Timeouts: Grace must be more than 00:00:00 and at most 01:00:00 (hh:mm:ss), but is 00:00:00.",
        ]);

    [Fact]
    public void Policy_OptionsChangedLater_IsNotAffected()
    {
        var options = new TimeoutOptions { Default = TimeSpan.FromSeconds(5), Grace = TimeSpan.FromSeconds(2) };
        var policy = new TimeoutPolicy(options);
        (options.Enabled, options.Default, options.Grace) = (false, null, TimeSpan.FromMinutes(1));

        (policy.Enabled, policy.Default, policy.Grace).ShouldBe((true, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(2)));
    }

    private static List<string> Errors(TimeoutOptions options) => [.. TimeoutOptionsValidator.Errors(options, environment: null)];
}
