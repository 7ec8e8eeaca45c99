using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Pipeline;

namespace ResilientHost.Dashboard;

/// <summary>Tells whether whoever looks at the page may operate, too: by the very rules of the operations that are mapped beside it.</summary>
internal static class OperatorAccess
{
    /// <summary>Whether this user would be let through to the operations under a path; <see langword="false"/> when none are mapped there.</summary>
    /// <param name="context">A request to the page.</param>
    /// <param name="path">The path that the dashboard was mapped with, for a request that no route led to.</param>
    /// <remarks>Says what to show, and protects nothing: each operation asks for itself.</remarks>
    public static async Task<bool> IsAllowedAsync(HttpContext context, string path)
    {
        if (Find(context, path) is not { } operation)
        {
            return false;
        }

        if (OperationGuard.IsUnprotected(operation))
        {
            return OperationGuard.IsLocal(context);
        }

        var services = context.RequestServices;
        if (services.GetService<IAuthorizationPolicyProvider>() is not { } policies || services.GetService<IPolicyEvaluator>() is not { } evaluator)
        {
            return false;
        }

        var metadata = operation.Metadata;
        var policy = await AuthorizationPolicy.CombineAsync(policies, metadata.GetOrderedMetadata<IAuthorizeData>(), metadata.GetOrderedMetadata<AuthorizationPolicy>());
        if (metadata.GetOrderedMetadata<IAuthorizationRequirementData>() is { Count: > 0 } requirements)
        {
            var more = new AuthorizationPolicyBuilder().AddRequirements([.. requirements.SelectMany(static data => data.GetRequirements())]).Build();
            policy = policy is null ? more : AuthorizationPolicy.Combine(policy, more);
        }

        if (policy is null)
        {
            return false;
        }

        // Schemes of that policy make another user of the request than the page was authorized by.
        var user = context.User;
        try
        {
            var authenticated = await evaluator.AuthenticateAsync(policy, context);
            return (await evaluator.AuthorizeAsync(policy, authenticated, context, operation)).Succeeded;
        }
        finally
        {
            context.User = user;
        }
    }

    // The operation that routing would choose, of those beside the page itself: in the same groups.
    private static RouteEndpoint? Find(HttpContext context, string path)
    {
        var page = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? path;
        var wanted = $"{page.TrimEnd('/')}{OperationNames.LevelPath}".TrimStart('/');
        return context.RequestServices.GetEndpoints()
            .OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<OperationsEndpointMetadata>() is { Operates: true }
                && string.Equals(endpoint.RoutePattern.RawText?.TrimStart('/'), wanted, StringComparison.OrdinalIgnoreCase))
            .MinBy(static endpoint => (endpoint.Order, YieldingEndpoints.Yields(endpoint)));
    }
}
