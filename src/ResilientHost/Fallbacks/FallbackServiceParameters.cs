using System.Collections;
using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Fallbacks;

/// <summary>Services that a fallback asks for and the application does not have. The framework would tell at the first failure.</summary>
internal static class FallbackServiceParameters
{
    public const string WhatCanBeBound = "Let it take what the request's route, query and headers carry, services that are registered, and FallbackContext.";

    /// <summary>What is wrong with a parameter whose attribute says that it is a service; null when nothing is.</summary>
    public static string? Missing(ParameterInfo parameter, IServiceProvider services)
    {
        var isService = services.GetService<IServiceProviderIsService>();
        var isThere = parameter.GetCustomAttribute<FromKeyedServicesAttribute>() is { } keyed
            ? keyed.Key is null || isService is not IServiceProviderIsKeyedService isKeyed || isKeyed.IsKeyedService(parameter.ParameterType, keyed.Key)
            : isService is null || !parameter.GetCustomAttributes().OfType<IFromServiceMetadata>().Any() || isService.IsService(parameter.ParameterType);
        return isThere || IsOptional(parameter) ? null : IsNoService(parameter.ParameterType);
    }

    /// <summary>What is wrong with a parameter that routing took for the body, when nobody could make one: it was meant to be a service.</summary>
    public static string? MistakenForBody(ParameterInfo parameter, FallbackSubject subject, IEnumerable<object> inferred)
    {
        var type = parameter.ParameterType;
        return type.IsAbstract && !FallbackBinder.IsBody(type) && !typeof(IEnumerable).IsAssignableFrom(type)
            && inferred.OfType<IAcceptsMetadata>().Any(accepts => accepts.RequestType == type)
            && !parameter.GetCustomAttributes().OfType<IFromBodyMetadata>().Any()
            && subject.Method?.GetParameters().Any(other => other.ParameterType == type) != true
            ? IsNoService(type) : null;
    }

    private static string IsNoService(Type type) => $"{FallbackSignature.Of(type)} is no registered service.";

    private static bool IsOptional(ParameterInfo parameter) =>
        parameter.HasDefaultValue || new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;
}
