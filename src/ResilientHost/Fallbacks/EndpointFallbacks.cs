namespace ResilientHost.Fallbacks;

/// <summary>What answers for one endpoint when it cannot, in order: its own fallback, then the last good response. Immutable.</summary>
/// <param name="Endpoint">The endpoint's key.</param>
/// <param name="Tag">The endpoint as a tag of metrics.</param>
/// <param name="Handler">Its own fallback.</param>
/// <param name="Stale">Its good responses.</param>
/// <param name="Authorization">Who decides who may see its answers.</param>
/// <param name="Use">What its fallbacks do.</param>
internal sealed record EndpointFallbacks(
    string Endpoint, string Tag, FallbackBinding? Handler, StaleFallback? Stale, RequiredAuthorization Authorization, FallbackUse Use);
