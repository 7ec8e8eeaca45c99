namespace ResilientHost;

/// <summary>What one request asks of its client's layers that differs from their options.</summary>
/// <remarks>
/// Travels in <see cref="HttpRequestMessage.Options"/>; see <see cref="Key"/> and <c>request.WithResilience(…)</c>. Immutable. What is <see langword="null"/> is left to the options. The budget of retries and the
/// time that the inbound request has left hold all the same.
/// </remarks>
public sealed record RequestResilience
{
    private static volatile bool _isInUse;

    /// <summary>Asks for nothing yet.</summary>
    public RequestResilience()
    {
        if (!_isInUse)
        {
            _isInUse = true;
        }
    }

    /// <summary>Whether there has ever been one in this process. Until then no request can carry one, and asking a request for its options makes them, which nobody else may need.</summary>
    internal static bool IsInUse => _isInUse;

    /// <summary>The key in <see cref="HttpRequestMessage.Options"/>.</summary>
    public static HttpRequestOptionsKey<RequestResilience> Key { get; } = new("ResilientHost.RequestResilience");

    /// <summary>Instead of <see cref="HttpClientResilienceOptions.TotalTimeout"/>.</summary>
    /// <value>Above zero, at most 1 day; <see cref="Timeout.InfiniteTimeSpan"/>: as long as it takes. Default <see langword="null"/>.</value>
    public TimeSpan? TotalTimeout { get; init; }

    /// <summary>Instead of <see cref="HttpClientResilienceOptions.AttemptTimeout"/>.</summary>
    /// <value>Above zero, at most 1 day; longer than the total counts as the total. Default <see langword="null"/>.</value>
    public TimeSpan? AttemptTimeout { get; init; }

    /// <summary>Instead of the <c>MaxAttempts</c> of retry and hedging; 1 sends the request once.</summary>
    /// <value>From 1 to 10. Default <see langword="null"/>.</value>
    public int? MaxAttempts { get; init; }

    /// <summary>Whether this request may be made again although its method does not promise that, or must not although it does.</summary>
    /// <value>Default <see langword="null"/>: as the method and <see cref="RetryOptions.NonIdempotent"/> say.</value>
    public bool? IsIdempotent { get; init; }

    /// <summary>How much the call matters, as a peer is told.</summary>
    /// <value>Default <see langword="null"/>: as much as the inbound request.</value>
    public Criticality? Criticality { get; init; }
}
