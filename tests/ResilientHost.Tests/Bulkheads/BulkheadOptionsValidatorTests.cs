using ResilientHost.Bulkheads;

namespace ResilientHost.Tests.Bulkheads;

public class BulkheadOptionsValidatorTests
{
    public static TheoryData<BulkheadOptions> Valid => new(
        new BulkheadOptions(),
        new BulkheadOptions { MaxConcurrency = 1 },
        new BulkheadOptions { MaxConcurrency = int.MaxValue },
        new BulkheadOptions { MaxConcurrency = null },
        new BulkheadOptions { QueueLength = 0 },
        new BulkheadOptions { QueueLength = 1_000_000 },
        new BulkheadOptions { QueueTimeout = TimeSpan.FromTicks(1) },
        new BulkheadOptions { QueueTimeout = TimeSpan.FromDays(1) },
        new BulkheadOptions { Mode = BulkheadMode.Shadow },
        new BulkheadOptions { Mode = BulkheadMode.Disabled },
        new BulkheadOptions { QueueOrder = QueueOrder.NewestFirst });

    public static TheoryData<BulkheadOptions, string> Invalid => new()
    {
        { new() { MaxConcurrency = 0 }, "MaxConcurrency must be at least 1 call, or null for no limit, but is 0." },
        { new() { QueueLength = -1 }, "QueueLength must be between 0 and 1000000 calls, but is -1." },
        { new() { QueueLength = 1_000_001 }, "QueueLength must be between 0 and 1000000 calls, but is 1000001." },
        { new() { QueueTimeout = TimeSpan.Zero }, "QueueTimeout must be longer than 0 s and at most 86400 s, but is 0 s." },
        { new() { QueueTimeout = TimeSpan.FromMilliseconds(-1) }, "QueueTimeout must be longer than 0 s and at most 86400 s, but is -0.001 s." },
        { new() { QueueTimeout = TimeSpan.FromDays(1) + TimeSpan.FromTicks(1) }, "QueueTimeout must be longer than 0 s and at most 86400 s, but is 86400.0000001 s." },
        { new() { Mode = (BulkheadMode)3 }, "Mode must be Enforce, Shadow or Disabled, but is 3." },
        { new() { QueueOrder = (QueueOrder)(-1) }, "QueueOrder must be OldestFirst or NewestFirst, but is -1." },
    };

    [Fact]
    public void Defaults_AreTheContractsValues()
    {
        BulkheadOptions options = new();

        options.Mode.ShouldBe(BulkheadMode.Enforce);
        options.MaxConcurrency.ShouldBe(256);
        options.QueueLength.ShouldBe(0);
        options.QueueTimeout.ShouldBe(TimeSpan.FromSeconds(1));
        options.QueueOrder.ShouldBe(QueueOrder.OldestFirst);
    }

    [Theory]
    [MemberData(nameof(Valid))]
    public void Validate_OnTheBound_Succeeds(BulkheadOptions options) =>
        new BulkheadOptionsValidator().Validate("checkout", options).Succeeded.ShouldBeTrue();

    [Theory]
    [MemberData(nameof(Invalid))]
    public void Validate_OneStepBeyond_FailsWithTheExactMessage(BulkheadOptions options, string message) =>
        new BulkheadOptionsValidator().Validate("checkout", options).Failures.ShouldBe([$"Bulkhead 'checkout': {message}"]);

    [Fact]
    public void Validate_EverythingWrong_ReportsAllAtOnce()
    {
        BulkheadOptions options = new()
        {
            Mode = (BulkheadMode)9,
            MaxConcurrency = -5,
            QueueLength = -1,
            QueueTimeout = TimeSpan.Zero,
            QueueOrder = (QueueOrder)9,
        };

        new BulkheadOptionsValidator().Validate("checkout", options).Failures.ShouldNotBeNull().Count().ShouldBe(5);
    }
}
