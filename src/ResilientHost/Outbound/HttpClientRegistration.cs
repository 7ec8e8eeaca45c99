namespace ResilientHost.Outbound;

/// <summary>That <c>AddResilienceLayers</c> was called on the builder of an HTTP client.</summary>
/// <param name="Client">The client's name for the factory; <see langword="null"/>: every client (<c>ConfigureHttpClientDefaults</c>).</param>
/// <param name="Layer">The name that its layers go by; <see langword="null"/>: the client's own.</param>
internal sealed record HttpClientRegistration(string? Client, string? Layer)
{
    /// <summary>The name that its layers go by; <see langword="null"/>: each client's own.</summary>
    public string? LayerName => Layer ?? (Client is null ? null : HttpClientLayers.NameOf(Client));
}
