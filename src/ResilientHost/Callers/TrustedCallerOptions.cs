using Microsoft.AspNetCore.Http;

namespace ResilientHost;

/// <summary>Whose word counts: which callers may raise a request's criticality and name the tenant it is for. Bound from <c>Resilience:TrustedCallers</c>.</summary>
/// <remarks>
/// <para>A caller is trusted when its address is in one of the networks, or <see cref="IsTrusted"/> says so. The address is <see cref="ConnectionInfo.RemoteIpAddress"/>: behind a proxy that is the proxy's, unless the forwarded-headers
/// middleware runs before the layers and believes that proxy alone.</para>
/// <para>Not thread-safe; read once per change of configuration.</para>
/// </remarks>
public sealed class TrustedCallerOptions
{
    /// <summary>Networks whose callers are trusted.</summary>
    /// <value>In CIDR notation, such as <c>10.0.0.0/8</c> or <c>fd00::/8</c>, or single addresses; default none. Reloads.</value>
    public IList<string> Networks { get; } = [];

    /// <summary>Whether a caller outside of those networks is trusted, for instance by its client certificate.</summary>
    /// <value>Default <see langword="null"/>: none is. Must be quick and thread-safe; a caller for whom it throws is not trusted.</value>
    public Func<HttpContext, bool>? IsTrusted { get; set; }
}
