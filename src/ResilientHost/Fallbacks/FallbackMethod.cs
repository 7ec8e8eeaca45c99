using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.AspNetCore.Mvc;

namespace ResilientHost.Fallbacks;

/// <summary>Finds the method that <c>[Fallback]</c> names.</summary>
internal static class FallbackMethod
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
    private const string MissingIsSaid = "A method that was trimmed away is reported as missing, and the application refuses to start.";

    /// <summary>The method; null when there is none that can be a fallback, with an error that says what to do.</summary>
    public static MethodInfo? Find(FallbackSubject subject, string name, ICollection<string> errors)
    {
        var asked = $"{subject.Introduction} names the fallback '{name}'";
        if (SearchedType(subject) is not { } type)
        {
            errors.Add($"{asked}, but its handler cannot be told, hence not the type to look in. Add it as .WithFallback(…) where the endpoint is mapped.");
            return null;
        }

        var found = Candidates(type, name);
        var instead = subject.Action is null ? "add it as .WithFallback(…) where the endpoint is mapped" : "give the fallback a name of its own";
        var error = found switch
        {
            [] => Missing(type, name, subject),
            [_, _, ..] => $"which is overloaded: {string.Join(", ", found.Select(method => $"'{FallbackSignature.Of(method)}'"))}. Give the fallback a name of its own{(subject.Action is null ? ", or add it as .WithFallback(…) where the endpoint is mapped" : "")}.",
            [var method] when method.ContainsGenericParameters => $"'{FallbackSignature.Of(method)}', which is generic: nobody could say for which type. Name a method without type parameters.",
            [var method] when method == subject.Method => "which is its own handler. Name another method.",
            [var method] when subject.Action is not null && method.IsPublic && !method.IsDefined(typeof(NonActionAttribute), inherit: true) =>
                $"'{FallbackSignature.Of(method)}', which is public: on a controller it would be an endpoint of its own. Make it private or protected, or mark it [NonAction].",
            [{ IsStatic: false } method] when subject.Action is null =>
                $"'{FallbackSignature.Of(method)}', which is not static, and at run time nobody knows an instance for it. Make it static, or {instead}.",
            _ => null,
        };

        if (error is not null)
        {
            errors.Add($"{asked}, {error}");
            return null;
        }

        return found[0];
    }

    private static string Missing(Type type, string name, FallbackSubject subject)
    {
        if (HasLocalFunction(type, name))
        {
            return $"which is a local function and has no such name at run time. {(subject.Action is null ? $"Add it as .WithFallback({name}) where the endpoint is mapped, or make" : "Make")} it a method of {FallbackSignature.Of(type)}.";
        }

        var there = MethodNames(type);
        var twin = there.Find(other => other.Equals(name, StringComparison.OrdinalIgnoreCase));
        var hint = twin is not null ? $"Names are case-sensitive; there is '{twin}'." : there.Count == 0 ? "It has no methods." : $"Methods there: {string.Join(", ", there.Take(20))}{(there.Count > 20 ? ", …" : "")}.";
        var otherwise = subject.Method is { } handler && FallbackSignature.LocalFunctionName(handler) is not null ? " A local function has no type of its own to look in: add its fallback as .WithFallback(…) where the endpoint is mapped." : "";
        return $"but {FallbackSignature.Of(type)} has no such method. {hint}{otherwise}";
    }

    private static Type? SearchedType(FallbackSubject subject)
    {
        if (subject.Action is { } action)
        {
            return action.ControllerTypeInfo;
        }

        var type = subject.Method?.DeclaringType;
        while (type is not null && FallbackSignature.IsGenerated(type))
        {
            type = Enclosing(type);
        }

        return type;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = "The lambda's own closure is nested in just this type, with just these arguments, so it exists.")]
    private static Type Enclosing(Type closure)
    {
        // Reflection gives the enclosing type without its arguments; a closure has them first, before those of its method.
        var type = closure.DeclaringType!;
        return type.IsGenericTypeDefinition ? type.MakeGenericType(closure.GetGenericArguments()[..type.GetGenericArguments().Length]) : type;
    }

    // The nearest type that has the name decides, as an override or a hiding method does in C#.
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = MissingIsSaid)]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = MissingIsSaid)]
    private static MethodInfo[] Candidates(Type searched, string name)
    {
        for (var type = searched; type is not null; type = type.BaseType)
        {
            var found = Array.FindAll(type.GetMethods(Declared), method => method.Name == name && !method.IsSpecialName);
            if (found.Length > 0)
            {
                return found;
            }
        }

        return [];
    }

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = MissingIsSaid)]
    private static List<string> MethodNames(Type type) =>
        [.. type.GetMethods(Declared).Where(method => !method.IsSpecialName && !method.Name.Contains('<', StringComparison.Ordinal)).Select(method => method.Name).Distinct().Order(StringComparer.Ordinal)];

    // One that captures nothing is a method of the type with a generated name, any other one of a nested closure.
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = MissingIsSaid)]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = MissingIsSaid)]
    private static bool HasLocalFunction(Type type, string name) =>
        type.GetNestedTypes(BindingFlags.NonPublic).Where(FallbackSignature.IsGenerated).Prepend(type)
            .Any(place => place.GetMethods(Declared).Any(method => FallbackSignature.LocalFunctionName(method) == name));
}
