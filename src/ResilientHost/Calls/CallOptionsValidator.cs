using ResilientHost.Outbound;

namespace ResilientHost.Calls;

/// <summary>The bounds of <see cref="CallResilienceOptions"/>; all errors at once.</summary>
internal static class CallOptionsValidator
{
    public static IEnumerable<string> Errors(string name, CallResilienceOptions options) =>
        HttpClientOptionsValidator.CallRules(options.TotalTimeout, options.AttemptTimeout, options.Retry, options.CircuitBreaker, options.Bulkhead)
            .Select(rule => $"Call '{name}': {rule}");
}
