using System.Globalization;
using ResilientHost.Bulkheads;
using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>The bounds of <see cref="HttpClientResilienceOptions"/>; all errors at once.</summary>
internal static class HttpClientOptionsValidator
{
    private const string OrNull = ", or null";
    private const int MaxBufferBytes = 16 * 1024 * 1024;
    private static readonly TimeSpan OneMillisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan OneHour = TimeSpan.FromHours(1);
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    public static IEnumerable<string> Errors(string name, HttpClientResilienceOptions options) => Rules(options).Select(rule => $"HTTP client '{name}': {rule}");

    /// <summary>What timeouts, retries, breaker and bulkhead of any outbound call have in common.</summary>
    public static IEnumerable<string> CallRules(
        TimeSpan? totalTimeout, TimeSpan? attemptTimeout, RetryOptions retry, CircuitBreakerOptions circuitBreaker, BulkheadOptions bulkhead) =>
        OptionBounds.Of(nameof(HttpClientResilienceOptions.TotalTimeout), totalTimeout, OneMillisecond, OneDay, OrNull)
            .Concat(AttemptRules(totalTimeout, attemptTimeout))
            .Concat(Under(nameof(HttpClientResilienceOptions.Retry), RetryRules(retry)))
            .Concat(Under(nameof(HttpClientResilienceOptions.CircuitBreaker), CircuitBreakerRules(circuitBreaker)))
            .Concat(Under(nameof(HttpClientResilienceOptions.Bulkhead), BulkheadRules(bulkhead)));

    private static IEnumerable<string> Rules(HttpClientResilienceOptions o) =>
        CallRules(o.TotalTimeout, o.AttemptTimeout, o.Retry, o.CircuitBreaker, o.Bulkhead)
            .Concat(OptionBounds.Of(nameof(o.ConnectTimeout), o.ConnectTimeout, OneMillisecond, OneDay, OrNull))
            .Concat(Under(nameof(o.Hedging), HedgingRules(o.Hedging)))
            .Concat(OptionBounds.Of(nameof(o.ReadAheadBytes), o.ReadAheadBytes, 0, MaxBufferBytes, "bytes"))
            .Concat(o.MinimumBodyRate is { } rate ? OptionBounds.Of(nameof(o.MinimumBodyRate), rate, 1, 1e9, "bytes per second, or null") : [])
            .Concat(OptionBounds.Of(nameof(o.CertificateWarning), o.CertificateWarning, TimeSpan.Zero, TimeSpan.FromDays(365)))
            .Concat(OptionBounds.Of(nameof(o.CertificateBreakDuration), o.CertificateBreakDuration, TimeSpan.FromSeconds(1), OneDay));

    private static IEnumerable<string> AttemptRules(TimeSpan? total, TimeSpan? attempt) =>
        attempt is { } asked && asked > total
            ? [$"{nameof(HttpClientResilienceOptions.AttemptTimeout)} must not be longer than {nameof(HttpClientResilienceOptions.TotalTimeout)} ({total:c}), but is {asked:c}."]
            : OptionBounds.Of(nameof(HttpClientResilienceOptions.AttemptTimeout), attempt, OneMillisecond, OneDay, OrNull);

    private static IEnumerable<string> RetryRules(RetryOptions o) =>
        OptionBounds.Of(nameof(o.MaxAttempts), o.MaxAttempts, 1, 10, "attempts")
            .Concat(OptionBounds.Of(nameof(o.Delay), o.Delay, TimeSpan.Zero, OneHour))
            .Concat(OptionBounds.Of(nameof(o.Backoff), o.Backoff, 1, 100, ""))
            .Concat(o.MaxDelay < o.Delay || o.MaxDelay > OneHour
                ? [$"{nameof(o.MaxDelay)} must be at least {nameof(o.Delay)} ({o.Delay:c}) and at most {OneHour:c} (d.hh:mm:ss), but is {o.MaxDelay:c}."]
                : [])
            .Concat(OptionBounds.Of(nameof(o.Jitter), o.Jitter, 0, 1, ""))
            .Concat(OptionBounds.Of(nameof(o.Budget), o.Budget, 0, 10, "retries per call"))
            .Concat(OptionBounds.Of(nameof(o.BudgetFloor), o.BudgetFloor, 0, 1_000_000, "retries"))
            .Concat(OptionBounds.Of(nameof(o.MaxRetryAfter), o.MaxRetryAfter, TimeSpan.Zero, OneDay))
            .Concat(OptionBounds.Of(nameof(o.MaxReplayBytes), o.MaxReplayBytes, 0, MaxBufferBytes, "bytes"));

    private static IEnumerable<string> HedgingRules(HedgingOptions o) =>
        OptionBounds.Of(nameof(o.Delay), o.Delay, TimeSpan.Zero, OneHour, OrNull)
            .Concat(o.Quantile is { } quantile ? OptionBounds.Of(nameof(o.Quantile), quantile, 0.5, 0.999, "or null") : [])
            .Concat(OptionBounds.Of(nameof(o.MaxAttempts), o.MaxAttempts, 2, 10, "attempts"));

    private static IEnumerable<string> CircuitBreakerRules(CircuitBreakerOptions o) =>
        After(CircuitBreakerOptionsValidator.Errors("", o)).Concat(NotForOutbound(
            (nameof(o.PartitionBy), o.PartitionBy is not null),
            (nameof(o.PartitionKey), o.PartitionKey is not null),
            (nameof(o.CallerBy), o.CallerBy is not null),
            (nameof(o.MinimumDistinctCallers), o.MinimumDistinctCallers > 0)));

    private static IEnumerable<string> BulkheadRules(BulkheadOptions o) =>
        After(BulkheadOptionsValidator.Errors("", o)).Concat(NotForOutbound(
            (nameof(o.PartitionBy), o.PartitionBy is not null),
            (nameof(o.PartitionKey), o.PartitionKey is not null),
            (nameof(o.PartitionWeights), o.PartitionWeights.Count > 0)));

    private static IEnumerable<string> NotForOutbound(params (string Property, bool IsSet)[] properties) =>
        properties.Where(property => property.IsSet).Select(property => $"{property.Property} must not be set: it tells inbound callers apart, and this is for outbound calls.");

    // "Circuit breaker '': FailureRatio must …" without its subject, which is the client's here.
    private static IEnumerable<string> After(IEnumerable<string> errors) => errors.Select(error => error[(error.IndexOf("'': ", StringComparison.Ordinal) + 4)..]);

    private static IEnumerable<string> Under(string section, IEnumerable<string> rules) => rules.Select(rule => string.Create(CultureInfo.InvariantCulture, $"{section}:{rule}"));
}
