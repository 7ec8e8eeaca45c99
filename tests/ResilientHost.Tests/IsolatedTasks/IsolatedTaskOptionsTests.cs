using ResilientHost.IsolatedTasks;

namespace ResilientHost.Tests.IsolatedTasks;

public class IsolatedTaskOptionsTests
{
    [Fact]
    public void Errors_Defaults_AreValid()
    {
        var options = new IsolatedTaskOptions();

        (options.Enabled, options.MaxTasks, options.MaxTasksPerName, options.LeakThreshold).ShouldBe((true, 10_000, 1_000, 20));
        (options.DrainTimeout, options.LeakWindow).ShouldBe((TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5)));
        Errors(options).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 0)]
    [InlineData(1_000_000, 0)]
    [InlineData(1_000_001, 2)]
    public void Errors_Bounds_HaveBounds(int tasks, int errors) =>
        Errors(new() { MaxTasks = tasks, MaxTasksPerName = tasks }).Count.ShouldBe(errors);

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(1_000_000, true)]
    [InlineData(1_000_001, false)]
    public void Errors_LeakThreshold_HasBounds(int threshold, bool isValid) =>
        Errors(new() { LeakThreshold = threshold }).Count.ShouldBe(isValid ? 0 : 1);

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(TimeSpan.TicksPerHour, true)]
    [InlineData(TimeSpan.TicksPerHour + 1, false)]
    public void Errors_DrainTimeout_HasBounds(long ticks, bool isValid) =>
        Errors(new() { DrainTimeout = TimeSpan.FromTicks(ticks) }).Count.ShouldBe(isValid ? 0 : 1);

    [Theory]
    [InlineData(TimeSpan.TicksPerSecond - 1, false)]
    [InlineData(TimeSpan.TicksPerSecond, true)]
    [InlineData(TimeSpan.TicksPerDay, true)]
    [InlineData(TimeSpan.TicksPerDay + 1, false)]
    public void Errors_LeakWindow_HasBounds(long ticks, bool isValid) =>
        Errors(new() { LeakWindow = TimeSpan.FromTicks(ticks) }).Count.ShouldBe(isValid ? 0 : 1);

    [Fact]
    public void Errors_AllWrong_TellRuleValueAndUnitOfEach() =>
        Errors(new() { MaxTasks = 0, MaxTasksPerName = -1, LeakThreshold = 1, DrainTimeout = TimeSpan.FromHours(2), LeakWindow = TimeSpan.Zero }).ShouldBe(
        [
            "IsolatedTasks: MaxTasks must be from 1 to 1000000 (tasks), but is 0.",
            "IsolatedTasks: MaxTasksPerName must be from 1 to 1000000 (tasks), but is -1.",
            "IsolatedTasks: LeakThreshold must be from 2 to 1000000 (tasks), but is 1.",
            "IsolatedTasks: DrainTimeout must be from 00:00:00 to 01:00:00 (hh:mm:ss), but is 02:00:00.",
            "IsolatedTasks: LeakWindow must be from 00:00:01 to 1.00:00:00 (d.hh:mm:ss), but is 00:00:00.",
        ]);

    [Fact]
    public void Policy_OptionsChangedLater_IsNotAffected()
    {
        var options = new IsolatedTaskOptions { MaxTasks = 7, LeakThreshold = 8 };
        var policy = new IsolatedTaskPolicy(options);
        (options.Enabled, options.MaxTasks, options.LeakThreshold) = (false, 1, 2);

        (policy.Enabled, policy.MaxTasks, policy.LeakThreshold).ShouldBe((true, 7, 8));
    }

    private static List<string> Errors(IsolatedTaskOptions options) => [.. IsolatedTaskOptionsValidator.Errors(options, environment: null)];
}
