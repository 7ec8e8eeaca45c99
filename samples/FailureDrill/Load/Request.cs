namespace FailureDrill.Load;

/// <summary>One kind of request that customers make.</summary>
internal sealed record Request(HttpMethod Method, string Path, string? Json = null)
{
    /// <summary>Who asks, as the kiosk's bearer token; <see langword="null"/> for nobody in particular.</summary>
    public string? Customer { get; init; }

    /// <summary>On whose behalf, as the workshop's header has it; <see langword="null"/> for nobody's in particular.</summary>
    public string? Tenant { get; init; }
}
