namespace ResilientHost.Outbound;

/// <summary>Which requests may be made again although they may have been carried out (RFC 9110, 9.2).</summary>
internal static class RetrySafety
{
    private const string IdempotencyKey = "Idempotency-Key";

    /// <summary>Whether carrying the request out twice is the same as once.</summary>
    public static bool IsRepeatable(HttpRequestMessage request, RequestResilience? resilience, RetryPolicy policy) =>
        resilience?.IsIdempotent ?? (IsIdempotent(request.Method) || policy.NonIdempotent || HasKey(request));

    /// <summary>Whether carrying the request out changes nothing, so that it may be made twice at a time.</summary>
    public static bool IsSafe(HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options || method == HttpMethod.Trace;

    private static bool IsIdempotent(HttpMethod method) =>
        IsSafe(method) || method == HttpMethod.Put || method == HttpMethod.Delete || method == HttpMethod.Query;

    private static bool HasKey(HttpRequestMessage request) =>
        request.Headers.NonValidated.TryGetValues(IdempotencyKey, out var values) && !string.IsNullOrWhiteSpace(values.ToString());
}
