using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ResilientHost.Fallbacks;

/// <summary>Runs a controller's fallback as MVC runs its actions: the same invoker, model binding, result filters and formatters, for the same route values.</summary>
internal static class FallbackMvcAction
{
    public const string MvcIsNotTrimmed = "There are controllers only where AddControllers() was called, which carries the requirement.";

    public static FallbackBinding? Bind(FallbackSubject subject, MethodInfo method, IServiceProvider services, ICollection<string> errors)
    {
        var before = errors.Count;
        FallbackShape.Check(subject, method, errors);
        var parameters = new FallbackMvcParameters(subject, method, services);
        var descriptor = Describe(subject.Action!, method, parameters.Bind(errors), services);
        if (errors.Count > before)
        {
            return null;
        }

        var invokers = services.GetRequiredService<IActionInvokerFactory>();
        return new FallbackBinding(FallbackSignature.Of(method), parameters.ReadsBody, () => context => InvokeAsync(context, descriptor, invokers)) { RunsFilters = true };
    }

    private static Task InvokeAsync(HttpContext context, ControllerActionDescriptor descriptor, IActionInvokerFactory invokers)
    {
        var routeData = new RouteData();
        routeData.PushState(router: null, context.Request.RouteValues, new RouteValueDictionary(context.GetEndpoint()?.Metadata.GetMetadata<IDataTokensMetadata>()?.DataTokens));
        var invoker = invokers.CreateInvoker(new ActionContext(context, routeData, descriptor))
            ?? throw new InvalidOperationException($"MVC has no invoker for the fallback '{descriptor.DisplayName}'.");
        return invoker.InvokeAsync();
    }

    // All but what is called stays the action's own: a view is found by its name, a link made from its route values.
    private static ControllerActionDescriptor Describe(ControllerActionDescriptor action, MethodInfo method, IList<ParameterDescriptor> parameters, IServiceProvider services)
    {
        var descriptor = new ControllerActionDescriptor
        {
            DisplayName = FallbackSignature.Of(method),
            ControllerName = action.ControllerName,
            ActionName = action.ActionName,
            ControllerTypeInfo = action.ControllerTypeInfo,
            MethodInfo = method,
            RouteValues = action.RouteValues,
            AttributeRouteInfo = action.AttributeRouteInfo,
            ActionConstraints = action.ActionConstraints,
            EndpointMetadata = action.EndpointMetadata,
            BoundProperties = action.BoundProperties,
            Parameters = parameters,
            FilterDescriptors = FallbackMvcFilters.Of(action),
            Properties = new Dictionary<object, object?>(action.Properties),
        };

        if (IsModelChecked(action, services))
        {
            descriptor.FilterDescriptors.Add(FallbackMvcFilters.RequireBoundParameters());
        }

        if (method.IsStatic)
        {
            // MVC calls methods of instances only. It is given one that needs nothing, not the controller: its constructor may be what failed.
            descriptor.ControllerTypeInfo = typeof(FallbackMvcStaticHost).GetTypeInfo();
            descriptor.MethodInfo = FallbackMvcStaticHost.Placeholder;
            descriptor.BoundProperties = [];
            descriptor.FilterDescriptors.Add(new FilterDescriptor(new FallbackMvcStaticCall(method, services.GetRequiredService<IActionResultTypeMapper>()), FilterScope.Last));
        }

        return descriptor;
    }

    private static bool IsModelChecked(ControllerActionDescriptor action, IServiceProvider services) =>
        FallbackMvcParameters.IsApi(action) && services.GetRequiredService<IOptions<ApiBehaviorOptions>>().Value is { SuppressModelStateInvalidFilter: false };
}
