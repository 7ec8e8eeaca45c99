using ResilientHost.Caching;

namespace ResilientHost.Tests.Caching;

/// <summary>A row on each bound and one step beyond it, with the exact message.</summary>
public sealed class CacheOptionsValidatorTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private static string[] Errors(Action<CacheOptions> change)
    {
        var options = new CacheOptions();
        change(options);
        return [.. CacheOptionsValidator.Errors("products", options)];
    }

    [Fact]
    public void Defaults_AreValid() => Errors(_ => { }).ShouldBeEmpty();

    public static TheoryData<string, Action<CacheOptions>> Valid() => new()
    {
        { "local as long as all", o => o.LocalExpiration = o.Expiration },
        { "no jitter", o => o.ExpirationJitter = 0 },
        { "most jitter", o => o.ExpirationJitter = 0.9 },
        { "nothing negative", o => o.NegativeExpiration = TimeSpan.Zero },
        { "nothing stale", o => o.StaleFor = TimeSpan.Zero },
        { "ask again at once", o => o.FailureDelay = TimeSpan.Zero },
        { "do not wait", o => o.SoftTimeout = TimeSpan.Zero },
        { "soft as hard", o => o.SoftTimeout = o.HardTimeout },
        { "no hard timeout", o => (o.HardTimeout, o.SoftTimeout) = (null, TimeSpan.FromDays(1)) },
        { "eager early", o => o.EagerRefresh = 0.01 },
        { "one value", o => o.MaxEntries = 1 },
        { "one factory", o => o.MaxConcurrentFactories = 1 },
    };

    [Theory]
    [MemberData(nameof(Valid))]
    public void Options_OnTheirBounds_AreValid(string what, Action<CacheOptions> change) => Errors(change).ShouldBeEmpty(what);

    public static TheoryData<string, Action<CacheOptions>> Invalid() => new()
    {
        { "Expiration must be 00:00:00.0010000 to 365.00:00:00 (d.hh:mm:ss), but is 00:00:00.", o => o.Expiration = TimeSpan.Zero },
        { "LocalExpiration must not be longer than Expiration (00:05:00), but is 00:05:00.0000001.", o => o.LocalExpiration = o.Expiration + Tick },
        { "ExpirationJitter must be 0 to 0.9, but is 1.", o => o.ExpirationJitter = 1 },
        { "NegativeExpiration must be 00:00:00 to 365.00:00:00 (d.hh:mm:ss), but is -00:00:00.0000001.", o => o.NegativeExpiration = -Tick },
        { "StaleFor must be 00:00:00 to 365.00:00:00 (d.hh:mm:ss), but is -00:00:00.0000001.", o => o.StaleFor = -Tick },
        { "FailureDelay must be 00:00:00 to 01:00:00 (d.hh:mm:ss), but is 01:00:00.0000001.", o => o.FailureDelay = TimeSpan.FromHours(1) + Tick },
        { "SoftTimeout must not be longer than HardTimeout (00:00:30), but is 00:00:30.0000001.", o => o.SoftTimeout = o.HardTimeout + Tick },
        { "HardTimeout must be 00:00:00.0010000 to 1.00:00:00 (d.hh:mm:ss), or null, but is 00:00:00.", o => o.HardTimeout = TimeSpan.Zero },
        { "EagerRefresh must be above 0 and below 1, or null, but is 1.", o => o.EagerRefresh = 1 },
        { "EagerRefresh must be above 0 and below 1, or null, but is NaN.", o => o.EagerRefresh = double.NaN },
        { "MaxEntries must be 1 to 100000000 values, but is 0.", o => o.MaxEntries = 0 },
        { "MaximumKeyLength must be 1 to 65536 characters, but is 0.", o => o.MaximumKeyLength = 0 },
        { "MaximumPayloadBytes must be 1 to 1073741824 bytes, but is 0.", o => o.MaximumPayloadBytes = 0 },
        { "DistributedTimeout must be 00:00:00.0010000 to 1.00:00:00 (d.hh:mm:ss), but is 00:00:00.", o => o.DistributedTimeout = TimeSpan.Zero },
        { "MaxConcurrentFactories must be 1 to 1000000 factories, or null, but is 0.", o => o.MaxConcurrentFactories = 0 },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void Options_BeyondABound_AreReportedWithTheRule(string rule, Action<CacheOptions> change) =>
        Errors(change).ShouldContain($"Cache 'products': {rule}");
}
