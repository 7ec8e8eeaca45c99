using Microsoft.AspNetCore.Http;

namespace ResilientHost.Callers;

/// <summary>Believes the callers that configuration or the application's own delegate trusts.</summary>
/// <remarks>Thread-safe; does not throw. A caller for whom the delegate throws is not trusted, and that is logged.</remarks>
internal sealed class TrustedCallers(Func<TrustedCallerPolicy> policy, CallerLog log) : ITrustedCallers
{
    public bool IsTrusted(HttpContext context)
    {
        try
        {
            // One policy for the whole question, also when a reload comes in between.
            var current = policy();
            return current.Contains(context.Connection.RemoteIpAddress) || (current.IsTrusted is { } trusts && trusts(context));
        }
        catch (Exception exception)
        {
            log.TrustFailed(exception);
            return false;
        }
    }
}
