using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace ResilientHost.Dashboard;

/// <summary>Stands before every operation, behind authorization: no page of another origin may have a browser operate, and what has no policy serves this machine alone.</summary>
/// <remarks>Asked before the body is read. Protects users whose browser sends a cookie by itself; a caller that is no browser sends neither header and passes.</remarks>
internal sealed class OperationGuard(OperationAudit audit)
{
    // Whoever sends one of these stands behind a proxy, and the proxy's address says nothing of the caller's.
    private static readonly string[] ForwardingHeaders = ["Forwarded", "Via", "X-Real-IP", "X-Original-For", "X-Original-Host", "X-Original-Proto", "CF-Connecting-IP", "True-Client-IP"];
    private const string ForwardingPrefix = "X-Forwarded-";

    public Task InvokeAsync(HttpContext context, string operation, RequestDelegate operate)
    {
        OperationAttempts.Arrive(context);
        context.Response.Headers.CacheControl = "no-store";
        var refusal = !IsOfThisOrigin(context.Request) ? "it came from another origin."
            : IsUnprotected(context.GetEndpoint()) && !IsLocal(context) ? "the endpoint has no policy, and the caller is not on this machine."
            : null;
        if (refusal is null)
        {
            return operate(context);
        }

        audit.Refused(context, operation, StatusCodes.Status403Forbidden, refusal);
        return TypedResults.Problem($"The request was refused: {refusal}", statusCode: StatusCodes.Status403Forbidden).ExecuteAsync(context);
    }

    /// <summary>Whether nobody is asked who they are before the endpoint runs.</summary>
    public static bool IsUnprotected(Endpoint? endpoint) =>
        endpoint is null
        || endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
        || !HasPolicy(endpoint);

    /// <summary>Whether an endpoint says who may use it.</summary>
    public static bool HasPolicy(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IAuthorizeData>() is not null
        || endpoint.Metadata.GetMetadata<AuthorizationPolicy>() is not null
        || endpoint.Metadata.GetMetadata<IAuthorizationRequirementData>() is not null;

    /// <summary>Whether the caller is a process on this machine; one whose address is not known is (an in-memory server), one that a proxy speaks for is not.</summary>
    public static bool IsLocal(HttpContext context)
    {
        var request = context.Request;
        return IsLoopback(context.Connection.RemoteIpAddress)
            && !IsForwarded(request.Headers)

            // A name of the attacker's that leads to this machine (DNS rebinding) makes the attacker's page one of the same origin.
            && (!IsFromBrowser(request) || IsNameOfThisMachine(request.Host.Host));
    }

    /// <summary>Whether a browser, if it is one, was on a page of this very host.</summary>
    /// <remarks>
    /// What browsers attest (Fetch Metadata) counts more than a comparison that proxies disturb; browsers leave it out on insecure connections, then <c>Origin</c> has to name the
    /// host that was asked. Schemes are not compared: behind a proxy that ends TLS they differ.
    /// </remarks>
    public static bool IsOfThisOrigin(HttpRequest request)
    {
        if (request.Headers.TryGetValue("Sec-Fetch-Site", out var site))
        {
            return site is ["same-origin" or "none"];
        }

        if (!request.Headers.TryGetValue("Origin", out var origins))
        {
            return true;
        }

        return origins is [{ } origin]
            && (IsHostOf("https://", 443) || IsHostOf("http://", 80));

        // As text, as browsers write both: the request's own property decodes names in other alphabets.
        bool IsHostOf(string scheme, int usualPort)
        {
            if (!origin.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }

            var (theirs, ours) = (new HostString(origin[scheme.Length..]), new HostString(request.Headers.Host.ToString()));
            return ours.HasValue
                && theirs.Value == (theirs.Port is { } port ? $"{theirs.Host}:{port}" : theirs.Host)
                && string.Equals(theirs.Host, ours.Host, StringComparison.OrdinalIgnoreCase)
                && (theirs.Port ?? usualPort) == (ours.Port ?? usualPort);
        }
    }

    private static bool IsForwarded(IHeaderDictionary headers) =>
        Array.Exists(ForwardingHeaders, headers.ContainsKey) || headers.Keys.Any(static name => name.StartsWith(ForwardingPrefix, StringComparison.OrdinalIgnoreCase));

    private static bool IsFromBrowser(HttpRequest request) => request.Headers.ContainsKey("Sec-Fetch-Site") || request.Headers.ContainsKey("Origin");

    private static bool IsNameOfThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IsLoopback(address));

    private static bool IsLoopback(IPAddress? address) =>
        address is null || IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
