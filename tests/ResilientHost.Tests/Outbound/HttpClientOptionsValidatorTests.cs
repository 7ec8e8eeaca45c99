using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

/// <summary>A row on each bound and one step beyond it, with the exact message.</summary>
public sealed class HttpClientOptionsValidatorTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private static string[] Errors(Action<HttpClientResilienceOptions> change)
    {
        var options = new HttpClientResilienceOptions();
        change(options);
        return [.. HttpClientOptionsValidator.Errors("pricing", options)];
    }

    [Fact]
    public void Defaults_AreValid() => Errors(_ => { }).ShouldBeEmpty();

    public static TheoryData<string, Action<HttpClientResilienceOptions>> Valid() => new()
    {
        { "total 1 ms", o => o.TotalTimeout = TimeSpan.FromMilliseconds(1) },
        { "total 1 day", o => o.TotalTimeout = Day },
        { "no total", o => (o.TotalTimeout, o.AttemptTimeout) = (null, Day) },
        { "attempt as long as the total", o => o.AttemptTimeout = o.TotalTimeout },
        { "connect 1 ms", o => o.ConnectTimeout = TimeSpan.FromMilliseconds(1) },
        { "no connect timeout", o => o.ConnectTimeout = null },
        { "one attempt", o => o.Retry.MaxAttempts = 1 },
        { "ten attempts", o => o.Retry.MaxAttempts = 10 },
        { "no delay", o => (o.Retry.Delay, o.Retry.MaxDelay) = (TimeSpan.Zero, TimeSpan.Zero) },
        { "no budget", o => (o.Retry.Budget, o.Retry.BudgetFloor) = (0, 0) },
        { "most budget", o => (o.Retry.Budget, o.Retry.BudgetFloor) = (10, 1_000_000) },
        { "bounds of jitter", o => o.Retry.Jitter = 1 },
        { "Retry-After not heeded", o => o.Retry.MaxRetryAfter = TimeSpan.Zero },
        { "nothing replayed", o => o.Retry.MaxReplayBytes = 0 },
        { "hedge at once", o => o.Hedging.Delay = TimeSpan.Zero },
        { "hedge at the median", o => o.Hedging.Quantile = 0.5 },
        { "hedge at the last", o => o.Hedging.Quantile = 0.999 },
        { "nothing read ahead", o => o.ReadAheadBytes = 0 },
        { "any body rate", o => o.MinimumBodyRate = null },
        { "no certificate warning", o => o.CertificateWarning = TimeSpan.Zero },
        { "shortest certificate break", o => o.CertificateBreakDuration = TimeSpan.FromSeconds(1) },
    };

    [Theory]
    [MemberData(nameof(Valid))]
    public void Options_OnTheirBounds_AreValid(string what, Action<HttpClientResilienceOptions> change) => Errors(change).ShouldBeEmpty(what);

    public static TheoryData<string, Action<HttpClientResilienceOptions>> Invalid() => new()
    {
        { "TotalTimeout must be 00:00:00.0010000 to 1.00:00:00 (d.hh:mm:ss), or null, but is 00:00:00.", o => o.TotalTimeout = TimeSpan.Zero },
        { "TotalTimeout must be 00:00:00.0010000 to 1.00:00:00 (d.hh:mm:ss), or null, but is 1.00:00:00.0000001.", o => o.TotalTimeout = Day + Tick },
        { "AttemptTimeout must not be longer than TotalTimeout (00:00:30), but is 00:00:30.0000001.", o => o.AttemptTimeout = TimeSpan.FromSeconds(30) + Tick },
        { "AttemptTimeout must be 00:00:00.0010000 to 1.00:00:00 (d.hh:mm:ss), or null, but is 00:00:00.", o => o.AttemptTimeout = TimeSpan.Zero },
        { "ConnectTimeout must be 00:00:00.0010000 to 1.00:00:00 (d.hh:mm:ss), or null, but is 00:00:00.", o => o.ConnectTimeout = TimeSpan.Zero },
        { "Retry:MaxAttempts must be 1 to 10 attempts, but is 0.", o => o.Retry.MaxAttempts = 0 },
        { "Retry:MaxAttempts must be 1 to 10 attempts, but is 11.", o => o.Retry.MaxAttempts = 11 },
        { "Retry:Delay must be 00:00:00 to 01:00:00 (d.hh:mm:ss), but is -00:00:00.0000001.", o => o.Retry.Delay = -Tick },
        { "Retry:Backoff must be 1 to 100, but is 0.5.", o => o.Retry.Backoff = 0.5 },
        { "Retry:Backoff must be 1 to 100, but is NaN.", o => o.Retry.Backoff = double.NaN },
        { "Retry:MaxDelay must be at least Delay (00:00:00.2000000) and at most 01:00:00 (d.hh:mm:ss), but is 00:00:00.1000000.", o => o.Retry.MaxDelay = TimeSpan.FromMilliseconds(100) },
        { "Retry:Jitter must be 0 to 1, but is 1.1.", o => o.Retry.Jitter = 1.1 },
        { "Retry:Budget must be 0 to 10 retries per call, but is -0.1.", o => o.Retry.Budget = -0.1 },
        { "Retry:BudgetFloor must be 0 to 1000000 retries, but is -1.", o => o.Retry.BudgetFloor = -1 },
        { "Retry:MaxRetryAfter must be 00:00:00 to 1.00:00:00 (d.hh:mm:ss), but is -00:00:00.0000001.", o => o.Retry.MaxRetryAfter = -Tick },
        { "Retry:MaxReplayBytes must be 0 to 16777216 bytes, but is 16777217.", o => o.Retry.MaxReplayBytes = 16 * 1024 * 1024 + 1 },
        { "Hedging:Delay must be 00:00:00 to 01:00:00 (d.hh:mm:ss), or null, but is -00:00:00.0000001.", o => o.Hedging.Delay = -Tick },
        { "Hedging:Quantile must be 0.5 to 0.999 or null, but is 1.", o => o.Hedging.Quantile = 1 },
        { "Hedging:MaxAttempts must be 2 to 10 attempts, but is 1.", o => o.Hedging.MaxAttempts = 1 },
        { "CircuitBreaker:PartitionBy must not be set: it tells inbound callers apart, and this is for outbound calls.", o => o.CircuitBreaker.PartitionBy = "User" },
        { "CircuitBreaker:MinimumDistinctCallers must not be set: it tells inbound callers apart, and this is for outbound calls.", o => o.CircuitBreaker.MinimumDistinctCallers = 2 },
        { "Bulkhead:PartitionBy must not be set: it tells inbound callers apart, and this is for outbound calls.", o => o.Bulkhead.PartitionBy = "User" },
        { "Bulkhead:PartitionWeights must not be set: it tells inbound callers apart, and this is for outbound calls.", o => o.Bulkhead.PartitionWeights["gold"] = 2 },
        { "ReadAheadBytes must be 0 to 16777216 bytes, but is -1.", o => o.ReadAheadBytes = -1 },
        { "MinimumBodyRate must be 1 to 1000000000 bytes per second, or null, but is 0.", o => o.MinimumBodyRate = 0 },
        { "CertificateWarning must be 00:00:00 to 365.00:00:00 (d.hh:mm:ss), but is -00:00:00.0000001.", o => o.CertificateWarning = -Tick },
        { "CertificateBreakDuration must be 00:00:01 to 1.00:00:00 (d.hh:mm:ss), but is 00:00:00.", o => o.CertificateBreakDuration = TimeSpan.Zero },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void Options_BeyondABound_AreReportedWithTheRule(string rule, Action<HttpClientResilienceOptions> change) =>
        Errors(change).ShouldContain($"HTTP client 'pricing': {rule}");

    [Fact]
    public void NestedLayers_Invalid_AreReportedUnderTheirSection() =>
        Errors(o => (o.CircuitBreaker.HalfOpenProbes, o.Bulkhead.MaxConcurrency) = (0, 0)).ShouldSatisfyAllConditions(
            errors => errors.Length.ShouldBe(2),
            errors => errors[0].ShouldStartWith("HTTP client 'pricing': CircuitBreaker:HalfOpenProbes must "),
            errors => errors[1].ShouldBe("HTTP client 'pricing': Bulkhead:MaxConcurrency must be at least 1 call, or null for no limit, but is 0."));
}
