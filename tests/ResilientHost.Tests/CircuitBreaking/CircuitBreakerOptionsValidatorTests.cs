using Microsoft.Extensions.Options;

using ResilientHost.CircuitBreaking;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed class CircuitBreakerOptionsValidatorTests
{
    public static TheoryData<Action<CircuitBreakerOptions>, string?> Rows => new()
    {
        { _ => { }, null },
        { o => o.Mode = CircuitMode.ForcedOpen, null },
        { o => o.Mode = (CircuitMode)4, "Mode must be Enforce, Shadow, Disabled or ForcedOpen, but is 4." },
        { o => o.FailureRatio = null, null },
        { o => o.FailureRatio = double.Epsilon, null },
        { o => o.FailureRatio = 1, null },
        { o => o.FailureRatio = 0, "FailureRatio must be above 0 and at most 1 (null switches the trigger off), but is 0." },
        { o => o.FailureRatio = 1.01, "FailureRatio must be above 0 and at most 1 (null switches the trigger off), but is 1.01." },
        { o => o.FailureRatio = double.NaN, "FailureRatio must be above 0 and at most 1 (null switches the trigger off), but is NaN." },
        { o => o.MinimumThroughput = 1, null },
        { o => o.MinimumThroughput = 0, "MinimumThroughput must be at least 1 call, but is 0." },
        { o => o.SamplingDuration = TimeSpan.FromMilliseconds(10), null },
        { o => o.SamplingDuration = TimeSpan.FromDays(1), null },
        { o => o.SamplingDuration = TimeSpan.FromMilliseconds(9.5), "SamplingDuration must be from 10 ms to 1 day, but is 9.5 ms." },
        { o => o.SamplingDuration = TimeSpan.FromHours(25), "SamplingDuration must be from 10 ms to 1 day, but is 1.01:00:00 (d.hh:mm:ss)." },
        { o => o.WindowSize = 20, null },
        { o => o.WindowSize = 1_000_000, null },
        { o => o.WindowSize = -1, "WindowSize must be from 0 (window by time) to 1,000,000 calls, but is -1." },
        { o => o.WindowSize = 1_000_001, "WindowSize must be from 0 (window by time) to 1,000,000 calls, but is 1000001." },
        { o => o.WindowSize = 19, null },
        { o => o.ConsecutiveFailures = 0, null },
        { o => o.ConsecutiveFailures = -1, "ConsecutiveFailures must be 0 (off) or more calls, but is -1." },
        { o => o.SlowCallDuration = TimeSpan.FromTicks(1), null },
        { o => o.SlowCallDuration = TimeSpan.Zero, "SlowCallDuration must be above zero (null switches the trigger off), but is 0 s." },
        { o => o.SlowCallRatio = 1, null },
        { o => o.SlowCallRatio = 0, "SlowCallRatio must be above 0 and at most 1, but is 0." },
        { o => o.BreakDuration = TimeSpan.FromTicks(1), null },
        { o => o.BreakDuration = o.MaxBreakDuration = TimeSpan.FromDays(1), null },
        { o => o.BreakDuration = TimeSpan.FromSeconds(-5), "BreakDuration must be above zero and at most 1 day, but is -5 s." },
        { o => o.MaxBreakDuration = TimeSpan.FromSeconds(5), null },
        { o => o.MaxBreakDuration = TimeSpan.FromSeconds(4), "MaxBreakDuration must be at least BreakDuration (5 s), but is 4 s." },
        { o => o.MaxBreakDuration = TimeSpan.FromHours(25), "MaxBreakDuration must be at most 1 day, but is 1.01:00:00 (d.hh:mm:ss)." },
        { o => o.BreakBackoff = 1, null },
        { o => o.BreakBackoff = 100, null },
        { o => o.BreakBackoff = 0.99, "BreakBackoff must be from 1 to 100, but is 0.99." },
        { o => o.BreakBackoff = double.PositiveInfinity, "BreakBackoff must be from 1 to 100, but is Infinity." },
        { o => o.BreakJitter = 0, null },
        { o => o.BreakJitter = 1, "BreakJitter must be from 0 to below 1, but is 1." },
        { o => o.BreakJitter = -0.1, "BreakJitter must be from 0 to below 1, but is -0.1." },
        { o => o.HalfOpenProbes = 1, null },
        { o => o.HalfOpenProbes = 1000, null },
        { o => o.HalfOpenProbes = 0, "HalfOpenProbes must be from 1 to 1,000 calls, but is 0." },
        { o => o.HalfOpenProbes = 1001, "HalfOpenProbes must be from 1 to 1,000 calls, but is 1001." },
        { o => o.HalfOpenMaxDuration = TimeSpan.FromDays(1), null },
        { o => o.HalfOpenMaxDuration = TimeSpan.Zero, "HalfOpenMaxDuration must be above zero and at most 1 day, but is 0 s." },
        { o => o.MaxPartitions = 1_000_000, null },
        { o => o.MaxPartitions = 0, "MaxPartitions must be from 1 to 1,000,000, but is 0." },
        { o => o.MaxPartitions = 1_000_001, "MaxPartitions must be from 1 to 1,000,000, but is 1000001." },
        { o => o.PartitionBy = "Header:X-Tenant", null },
        { o => o.PartitionBy = "Tenant", "PartitionBy must be one of User, Claim:type, Header:name, RouteValue:name, Host, RemoteAddress, but is \"Tenant\"." },
        { o => (o.PartitionBy, o.PartitionKey) = ("Host", _ => "a"), "PartitionKey must not be set together with PartitionBy." },
        { o => o.CallerBy = "Claim:sub", null },
        { o => o.CallerBy = "Claim", "CallerBy must be one of User, Claim:type, Header:name, RouteValue:name, Host, RemoteAddress, but is \"Claim\"." },
        { o => o.MinimumDistinctCallers = 64, null },
        { o => o.MinimumDistinctCallers = 65, "MinimumDistinctCallers must be from 0 to 64 callers, but is 65." },
        { o => o.MinimumDistinctCallers = -1, "MinimumDistinctCallers must be from 0 to 64 callers, but is -1." },
        { o => (o.MinimumDistinctCallers, o.WindowSize) = (20, 20), null },
        { o => (o.MinimumDistinctCallers, o.WindowSize) = (21, 20), "MinimumDistinctCallers must be at most WindowSize (20 calls), but is 21." },
        { o => (o.MinimumDistinctCallers, o.PartitionBy) = (1, "User"), null },
        { o => (o.MinimumDistinctCallers, o.PartitionBy) = (2, "Header:X-Tenant"), null },
        { o => (o.MinimumDistinctCallers, o.PartitionBy) = (2, "User"), "MinimumDistinctCallers must be 0 or 1 where PartitionBy gives each caller a circuit of its own, but is 2." },
        { o => (o.MinimumDistinctCallers, o.PartitionBy, o.CallerBy) = (2, "header:X-Tenant", "Header:X-Tenant"), "MinimumDistinctCallers must be 0 or 1 where PartitionBy gives each caller a circuit of its own, but is 2." },
    };

    [Theory]
    [MemberData(nameof(Rows), DisableDiscoveryEnumeration = true)]
    public void Validate_BoundsAndOneStepBeyond_TellsTheRule(Action<CircuitBreakerOptions> change, string? error)
    {
        var options = new CircuitBreakerOptions();
        change(options);
        CircuitBreakerOptionsValidator.Errors("checkout", options)
            .ShouldBe(error is null ? [] : [$"Circuit breaker 'checkout': {error}"]);
        new CircuitBreakerOptionsValidator().Validate("checkout", options).Succeeded.ShouldBe(error is null);
    }

    [Fact]
    public void Constructor_SeveralErrors_ThrowsThemAllAtOnce()
    {
        var options = new CircuitBreakerOptions { FailureRatio = 2, HalfOpenProbes = 0, BreakJitter = double.NaN };
        var error = Should.Throw<OptionsValidationException>(() => new CircuitBreaker("checkout", options));
        error.OptionsName.ShouldBe("checkout");
        error.Failures.ShouldBe(
        [
            "Circuit breaker 'checkout': FailureRatio must be above 0 and at most 1 (null switches the trigger off), but is 2.",
            "Circuit breaker 'checkout': BreakJitter must be from 0 to below 1, but is NaN.",
            "Circuit breaker 'checkout': HalfOpenProbes must be from 1 to 1,000 calls, but is 0.",
        ]);
    }

    [Fact]
    public void Defaults_OfTheContract_Hold()
    {
        var o = new CircuitBreakerOptions();
        (o.Mode, o.FailureRatio, o.MinimumThroughput, o.SamplingDuration, o.WindowSize, o.ConsecutiveFailures, o.SlowCallDuration)
            .ShouldBe((CircuitMode.Enforce, 0.5, 20, TimeSpan.FromSeconds(30), 0, 0, null));
        (o.SlowCallRatio, o.BreakDuration, o.MaxBreakDuration, o.BreakBackoff, o.BreakJitter, o.HalfOpenProbes, o.HalfOpenMaxDuration)
            .ShouldBe((1.0, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(2), 2.0, 0.1, 3, TimeSpan.FromSeconds(10)));
        o.MaxPartitions.ShouldBe(10_000);
    }
}
