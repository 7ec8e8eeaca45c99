using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Infrastructure;

namespace ResilientHost.Fallbacks;

/// <summary>Whether a fallback returns what its endpoint could have returned.</summary>
internal static class FallbackShape
{
    /// <summary>What is left of a method's return type when its task is done; <see cref="void"/> for nothing.</summary>
    public static Type ResultOf(Type returned)
    {
        if (returned == typeof(Task) || returned == typeof(ValueTask))
        {
            return typeof(void);
        }

        for (var type = returned; type is not null; type = type.BaseType)
        {
            // F#'s async by name: routing awaits it, and nothing here depends on its library.
            if (type.IsGenericType && (IsTask(type.GetGenericTypeDefinition()) || type.GetGenericTypeDefinition().FullName == "Microsoft.FSharp.Control.FSharpAsync`1"))
            {
                return type.GetGenericArguments()[0];
            }
        }

        return typeof(Task).IsAssignableFrom(returned) ? typeof(void) : returned;
    }

    /// <summary>Adds an error for each way in which a fallback's method does not fit, its parameters apart.</summary>
    public static void Check(FallbackSubject subject, MethodInfo fallback, ICollection<string> errors)
    {
        var signature = FallbackSignature.Of(fallback);
        if (fallback.ReturnType == typeof(void) && fallback.IsDefined(typeof(AsyncStateMachineAttribute)))
        {
            errors.Add($"{subject.Introduction} has the fallback '{signature}', which is async void: nobody could wait for it, and what it throws would end the process. Let it return Task.");
            return;
        }

        var result = ResultOf(fallback.ReturnType);
        if (subject.Result == typeof(void) || IsFree(subject.Result) || IsFree(result))
        {
            return;
        }

        if (result == typeof(void))
        {
            if (!fallback.GetParameters().Any(parameter => Writes(parameter.ParameterType)))
            {
                errors.Add($"{subject.Introduction} has the fallback '{signature}', which returns nothing and takes nothing to write an answer with. {Advice()}, or let it take FallbackContext and write the answer itself.");
            }
        }
        else if (!ValueOf(subject.Result).IsAssignableFrom(ValueOf(result)))
        {
            var (returned, returnable) = FallbackSignature.Distinct(result, subject.Result);
            errors.Add($"{subject.Introduction} has the fallback '{signature}', which returns {returned} where the endpoint returns {returnable}. {Advice()}.");
        }

        string Advice() => $"Let it return {FallbackSignature.Of(ValueOf(subject.Result))} or {(subject.Action is null ? "IResult" : "IActionResult")}";
    }

    /// <summary>A result that only MVC can write.</summary>
    public static bool IsOfMvc(Type result) => typeof(IActionResult).IsAssignableFrom(result) || typeof(IConvertToActionResult).IsAssignableFrom(result);

    // ActionResult<T> is not free: it stands for a T, and next to a plain T it must be the right one.
    private static bool IsFree(Type result) => typeof(IResult).IsAssignableFrom(result) || (IsOfMvc(result) && ValueOf(result) == result);

    private static Type ValueOf(Type result) =>
        result.IsGenericType && result.GetGenericTypeDefinition() == typeof(ActionResult<>) ? result.GetGenericArguments()[0] : result;

    private static bool IsTask(Type definition) => definition == typeof(Task<>) || definition == typeof(ValueTask<>);

    private static bool Writes(Type parameter) => parameter == typeof(HttpContext) || parameter == typeof(HttpResponse) || parameter == typeof(FallbackContext);
}
