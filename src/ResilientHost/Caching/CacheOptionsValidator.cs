using System.Globalization;
using ResilientHost.Hosting;

namespace ResilientHost.Caching;

/// <summary>The bounds of <see cref="CacheOptions"/>; all errors at once.</summary>
internal static class CacheOptionsValidator
{
    private const string OrNull = ", or null";
    private static readonly TimeSpan OneMillisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);
    private static readonly TimeSpan OneYear = TimeSpan.FromDays(365);

    public static IEnumerable<string> Errors(string name, CacheOptions options) => Rules(options).Select(rule => $"Cache '{name}': {rule}");

    private static IEnumerable<string> Rules(CacheOptions o) =>
        OptionBounds.Of(nameof(o.Expiration), o.Expiration, OneMillisecond, OneYear)
            .Concat(o.LocalExpiration > o.Expiration
                ? [$"{nameof(o.LocalExpiration)} must not be longer than {nameof(o.Expiration)} ({o.Expiration:c}), but is {o.LocalExpiration:c}."]
                : OptionBounds.Of(nameof(o.LocalExpiration), o.LocalExpiration, OneMillisecond, OneYear, OrNull))
            .Concat(OptionBounds.Of(nameof(o.ExpirationJitter), o.ExpirationJitter, 0, 0.9, ""))
            .Concat(OptionBounds.Of(nameof(o.NegativeExpiration), o.NegativeExpiration, TimeSpan.Zero, OneYear))
            .Concat(OptionBounds.Of(nameof(o.StaleFor), o.StaleFor, TimeSpan.Zero, OneYear))
            .Concat(OptionBounds.Of(nameof(o.FailureDelay), o.FailureDelay, TimeSpan.Zero, TimeSpan.FromHours(1)))
            .Concat(SoftTimeout(o))
            .Concat(OptionBounds.Of(nameof(o.HardTimeout), o.HardTimeout, OneMillisecond, OneDay, OrNull))
            .Concat(o.EagerRefresh is null or (> 0 and < 1)
                ? []
                : [string.Create(CultureInfo.InvariantCulture, $"{nameof(o.EagerRefresh)} must be above 0 and below 1, or null, but is {o.EagerRefresh}.")])
            .Concat(OptionBounds.Of(nameof(o.MaxEntries), o.MaxEntries, 1, 100_000_000, "values"))
            .Concat(OptionBounds.Of(nameof(o.MaximumKeyLength), o.MaximumKeyLength, 1, 65_536, "characters"))
            .Concat(OptionBounds.Of(nameof(o.MaximumPayloadBytes), o.MaximumPayloadBytes, 1, 1 << 30, "bytes"))
            .Concat(OptionBounds.Of(nameof(o.DistributedTimeout), o.DistributedTimeout, OneMillisecond, OneDay))
            .Concat(o.MaxConcurrentFactories is { } most ? OptionBounds.Of(nameof(o.MaxConcurrentFactories), most, 1, 1_000_000, "factories, or null") : []);

    private static IEnumerable<string> SoftTimeout(CacheOptions o) =>
        o.SoftTimeout > o.HardTimeout
            ? [$"{nameof(o.SoftTimeout)} must not be longer than {nameof(o.HardTimeout)} ({o.HardTimeout:c}), but is {o.SoftTimeout:c}."]
            : OptionBounds.Of(nameof(o.SoftTimeout), o.SoftTimeout, TimeSpan.Zero, OneDay, OrNull);
}
