using Microsoft.AspNetCore.Http;

namespace ResilientHost.Callers;

/// <summary>Whose word counts.</summary>
/// <remarks>Thread-safe; does not throw.</remarks>
internal interface ITrustedCallers
{
    /// <summary>Whether the caller of this request may raise its criticality and name the tenant it is for.</summary>
    bool IsTrusted(HttpContext context);
}
