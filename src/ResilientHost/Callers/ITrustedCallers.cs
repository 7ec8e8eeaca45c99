using Microsoft.AspNetCore.Http;

namespace ResilientHost.Callers;

/// <summary>Tells whose headers are believed. Thread-safe; never throws.</summary>
internal interface ITrustedCallers
{
    /// <summary>Whether the caller of a request is trusted.</summary>
    bool IsTrusted(HttpContext context);
}
