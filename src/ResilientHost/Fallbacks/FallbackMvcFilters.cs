using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.Formatters;

namespace ResilientHost.Fallbacks;

/// <summary>Of an action's filters those that authorize and those that shape results; the others belong to the action.</summary>
/// <remarks>A filter that does both is cut down to the part that runs: <c>ActionFilterAttribute</c> alone makes every filter derived from it an action's and a result's.</remarks>
internal static class FallbackMvcFilters
{
    public static IList<FilterDescriptor> Of(ControllerActionDescriptor action)
    {
        var kept = new List<FilterDescriptor>();
        foreach (var filter in action.FilterDescriptors)
        {
            var part = filter.Filter switch
            {
                TypeFilterAttribute { ImplementationType: { } type } when !Concerns(type) => null,
                IFilterFactory factory => new PartFactory(factory),
                var other => PartOf(other),
            };
            if (part is not null)
            {
                kept.Add(new FilterDescriptor(part, filter.Scope) { Order = filter.Order });
            }
        }

        return kept;
    }

    /// <summary>Lets a fallback fail whose parameters the request does not fill. <c>[ApiController]</c> keeps such requests from its actions, and a refusal comes before that.</summary>
    public static FilterDescriptor RequireBoundParameters() => new(new BoundParameters(), FilterScope.First);

    private static IFilterMetadata? PartOf(IFilterMetadata filter)
    {
        // The format filter is looked for by others under its own type; what it does for a resource is a check.
        if (!BelongsToTheAction(filter.GetType()) || filter is FormatFilter)
        {
            return filter;
        }

        return (filter is IAuthorizationFilter or IAsyncAuthorizationFilter, filter is IResultFilter or IAsyncResultFilter) switch
        {
            (true, true) => new AuthorizationAndResultPart(filter),
            (true, false) => new AuthorizationPart(filter),
            (false, true) => filter is IAlwaysRunResultFilter or IAsyncAlwaysRunResultFilter ? new AlwaysResultPart(filter) : new ResultPart(filter),
            _ => null,
        };
    }

    // A filter of no kind at all is a mark that others look for, such as the one that allows anonymous callers.
    private static bool Concerns(Type type) =>
        !BelongsToTheAction(type)
        || typeof(IAuthorizationFilter).IsAssignableFrom(type) || typeof(IAsyncAuthorizationFilter).IsAssignableFrom(type)
        || typeof(IResultFilter).IsAssignableFrom(type) || typeof(IAsyncResultFilter).IsAssignableFrom(type);

    private static bool BelongsToTheAction(Type type) =>
        typeof(IActionFilter).IsAssignableFrom(type) || typeof(IAsyncActionFilter).IsAssignableFrom(type)
        || typeof(IResourceFilter).IsAssignableFrom(type) || typeof(IAsyncResourceFilter).IsAssignableFrom(type)
        || typeof(IExceptionFilter).IsAssignableFrom(type) || typeof(IAsyncExceptionFilter).IsAssignableFrom(type);

    private static Task AuthorizeAsync(IFilterMetadata filter, AuthorizationFilterContext context)
    {
        // As MVC does: the asynchronous one, where there are both.
        if (filter is IAsyncAuthorizationFilter asynchronous)
        {
            return asynchronous.OnAuthorizationAsync(context);
        }

        ((IAuthorizationFilter)filter).OnAuthorization(context);
        return Task.CompletedTask;
    }

    private sealed class PartFactory(IFilterFactory factory) : IFilterFactory
    {
        public bool IsReusable => factory.IsReusable;

        // A factory must make something.
        public IFilterMetadata CreateInstance(IServiceProvider serviceProvider) => PartOf(factory.CreateInstance(serviceProvider)) ?? NoPart.Instance;
    }

    private sealed class BoundParameters : IActionFilter
    {
        public void OnActionExecuting(ActionExecutingContext context)
        {
            if (!context.ModelState.IsValid)
            {
                var unfit = context.ModelState.Where(entry => entry.Value?.Errors.Count > 0).Select(entry => $"'{entry.Key}'");
                throw new BadHttpRequestException($"The fallback '{context.ActionDescriptor.DisplayName}' cannot bind {string.Join(", ", unfit)} from the request.");
            }
        }

        public void OnActionExecuted(ActionExecutedContext context)
        {
        }
    }

    private sealed class NoPart : IFilterMetadata
    {
        public static readonly NoPart Instance = new();
    }

    private sealed class AuthorizationPart(IFilterMetadata filter) : IAsyncAuthorizationFilter
    {
        public Task OnAuthorizationAsync(AuthorizationFilterContext context) => AuthorizeAsync(filter, context);
    }

    private class ResultPart(IFilterMetadata filter) : IAsyncResultFilter
    {
        public async Task OnResultExecutionAsync(ResultExecutingContext context, ResultExecutionDelegate next)
        {
            if (filter is IAsyncResultFilter asynchronous)
            {
                await asynchronous.OnResultExecutionAsync(context, next);
                return;
            }

            var synchronous = (IResultFilter)filter;
            synchronous.OnResultExecuting(context);
            if (!context.Cancel)
            {
                synchronous.OnResultExecuted(await next());
            }
        }
    }

    private sealed class AlwaysResultPart(IFilterMetadata filter) : ResultPart(filter), IAsyncAlwaysRunResultFilter;

    private sealed class AuthorizationAndResultPart(IFilterMetadata filter) : ResultPart(filter), IAsyncAuthorizationFilter
    {
        private readonly IFilterMetadata _filter = filter;

        public Task OnAuthorizationAsync(AuthorizationFilterContext context) => AuthorizeAsync(_filter, context);
    }
}
