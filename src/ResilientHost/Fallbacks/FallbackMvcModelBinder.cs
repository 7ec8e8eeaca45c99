using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace ResilientHost.Fallbacks;

/// <summary>Gives a controller's fallback the request itself, as routing gives it to a route handler.</summary>
internal sealed class FallbackMvcModelBinder : IModelBinder
{
    public static bool Binds(Type type) =>
        type == typeof(FallbackContext) || type == typeof(HttpContext) || type == typeof(HttpRequest) || type == typeof(HttpResponse) || type == typeof(ClaimsPrincipal);

    public Task BindModelAsync(ModelBindingContext bindingContext)
    {
        var context = bindingContext.HttpContext;
        var type = bindingContext.ModelType;
        object? value = type == typeof(FallbackContext) ? context.Features.Get<FallbackContext>()
            : type == typeof(HttpContext) ? context
            : type == typeof(HttpRequest) ? context.Request
            : type == typeof(HttpResponse) ? context.Response
            : context.User;
        bindingContext.Result = ModelBindingResult.Success(value);
        if (value is not null)
        {
            // Validation would walk all there is to be found from a request.
            bindingContext.ValidationState.Add(value, new() { SuppressValidation = true });
        }

        return Task.CompletedTask;
    }
}
