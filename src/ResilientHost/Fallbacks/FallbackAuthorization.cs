using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Fallbacks;

/// <summary>Who decides who may see an endpoint's answers.</summary>
[Flags]
internal enum RequiredAuthorization
{
    /// <summary>Nobody: it is for everyone.</summary>
    None = 0,

    /// <summary>The authorization middleware.</summary>
    Middleware = 1,

    /// <summary>Filters of MVC, which run inside of the endpoint: only a fallback that runs through MVC passes them.</summary>
    Filters = 2,
}

/// <summary>Nothing is served around authorization: tells whether an endpoint needs it, and whether a request has had it. Thread-safe.</summary>
internal sealed class FallbackAuthorization(IServiceProvider services)
{
    // What the authorization middleware leaves behind for the endpoint middleware, which refuses to run an authorized endpoint without it.
    private const string MiddlewareHasRun = "__AuthorizationMiddlewareWithEndpointInvoked";

    /// <summary>What an endpoint needs.</summary>
    public RequiredAuthorization RequiredBy(Endpoint endpoint)
    {
        var metadata = endpoint.Metadata;
        var required = RequiredAuthorization.None;
        if (metadata.GetMetadata<ActionDescriptor>() is { } action && action.FilterDescriptors.Any(descriptor => Authorizes(descriptor.Filter)))
        {
            required |= RequiredAuthorization.Filters;
        }

        if (metadata.GetMetadata<IAllowAnonymous>() is null
            && (metadata.GetMetadata<IAuthorizeData>() is not null
                || metadata.GetMetadata<AuthorizationPolicy>() is not null
                || metadata.GetMetadata<IAuthorizationRequirementData>() is not null
                || HasFallbackPolicy()))
        {
            required |= RequiredAuthorization.Middleware;
        }

        return required;
    }

    /// <summary>Whether the middleware has let the request pass. Asked where the layers are entered: inside of them it may also have failed.</summary>
    public static bool HasRun(HttpContext context) => context.Items.ContainsKey(MiddlewareHasRun);

    /// <summary>Whether the request may see what a fallback has to say.</summary>
    /// <param name="context">The request.</param>
    /// <param name="required">What the endpoint needs.</param>
    /// <param name="wasAuthorized">Whether authorization had run when the request entered the layers.</param>
    /// <param name="runsFilters">Whether the fallback runs inside of the filters that authorize.</param>
    public static ValueTask<bool> AllowsAsync(HttpContext context, RequiredAuthorization required, bool wasAuthorized, bool runsFilters)
    {
        if ((required & RequiredAuthorization.Filters) != RequiredAuthorization.None && !runsFilters)
        {
            return new(false);
        }

        // Where it ran inside of the layers it may be what failed: ask again.
        return (required & RequiredAuthorization.Middleware) == RequiredAuthorization.None || wasAuthorized ? new(true)
            : HasRun(context) ? EvaluateAsync(context)
            : new(false);
    }

    /// <summary>Whether an MVC filter decides who may run an action.</summary>
    public static bool Authorizes(IFilterMetadata filter) => filter switch
    {
        Microsoft.AspNetCore.Mvc.Authorization.IAllowAnonymousFilter => false,
        IAuthorizationFilter or IAsyncAuthorizationFilter => true,
        Microsoft.AspNetCore.Mvc.ServiceFilterAttribute service => Authorizes(service.ServiceType),
        Microsoft.AspNetCore.Mvc.TypeFilterAttribute type => Authorizes(type.ImplementationType),
        _ => false,
    };

    private static bool Authorizes(Type type) => type.IsAssignableTo(typeof(IAuthorizationFilter)) || type.IsAssignableTo(typeof(IAsyncAuthorizationFilter));

    private static async ValueTask<bool> EvaluateAsync(HttpContext context)
    {
        try
        {
            var provider = context.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>();
            var evaluator = context.RequestServices.GetRequiredService<IPolicyEvaluator>();
            var endpoint = context.GetEndpoint();
            var metadata = endpoint?.Metadata ?? EndpointMetadataCollection.Empty;
            var policy = await AuthorizationPolicy.CombineAsync(
                provider, metadata.GetOrderedMetadata<IAuthorizeData>(), metadata.GetOrderedMetadata<AuthorizationPolicy>());
            var requirements = metadata.GetOrderedMetadata<IAuthorizationRequirementData>();
            if (requirements.Count > 0)
            {
                var own = new AuthorizationPolicyBuilder();
                foreach (var requirement in requirements.SelectMany(data => data.GetRequirements()))
                {
                    own.AddRequirements(requirement);
                }

                policy = policy is null ? own.Build() : AuthorizationPolicy.Combine(policy, own.Build());
            }

            policy ??= await provider.GetFallbackPolicyAsync();
            if (policy is null)
            {
                return false;
            }

            var authentication = await evaluator.AuthenticateAsync(policy, context);
            return (await evaluator.AuthorizeAsync(policy, authentication, context, context)).Succeeded;
        }
        catch (Exception)
        {
            // What cannot be asked has not said yes.
            return false;
        }
    }

    // A policy that is still being fetched, or cannot be, may be one that lets nobody in.
    private bool HasFallbackPolicy()
    {
        try
        {
            if (services.GetService<IAuthorizationPolicyProvider>() is not { } provider)
            {
                return false;
            }

            var policy = provider.GetFallbackPolicyAsync();
            return !policy.IsCompletedSuccessfully || policy.Result is not null;
        }
        catch (Exception)
        {
            return true;
        }
    }
}
