using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.Routing;

namespace ResilientHost.Fallbacks;

/// <summary>Lets MVC write a result of its own that a route handler returned; routing would write it out as JSON.</summary>
internal sealed class FallbackMvcResult(IActionResult result) : IResult
{
    public static object? Wrap(object? result) => result switch
    {
        IActionResult action => new FallbackMvcResult(action),
        IConvertToActionResult convertible => new FallbackMvcResult(convertible.Convert()),
        _ => result,
    };

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var action = httpContext.GetEndpoint()?.Metadata.GetMetadata<ActionDescriptor>() ?? new ActionDescriptor();
        return result.ExecuteResultAsync(new ActionContext(httpContext, httpContext.GetRouteData(), action));
    }
}
