using System.Collections;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Fallbacks;

/// <summary>What a fallback asks for and would not get: services that the application does not have, values that requests do not carry. The framework would tell at the first failure.</summary>
internal static class FallbackParameters
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

    /// <summary>What is wrong with a parameter that routing would read from the query, when the endpoint's own requests need not carry it: as a rule a misspelt route value.</summary>
    public static string? NotInTheRequest(ParameterInfo parameter, FallbackSubject subject)
    {
        var name = parameter.Name ?? "";
        return StaleInputs.IsSimple(parameter.ParameterType)
            && !parameter.GetCustomAttributes().Any(attribute => attribute is IFromQueryMetadata or IFromHeaderMetadata or IFromRouteMetadata or IFromServiceMetadata or IFromBodyMetadata or IFromFormMetadata or FromKeyedServicesAttribute)
            && !subject.HasRouteValue(name)
            && !IsOptional(parameter)
            && subject.Method?.GetParameters() is { } own
            && !own.Any(other => MayReadQuery(other, name))
            ? $"it would be read from the query, and the endpoint's requests carry no '{name}' there. Name it as the route does, or let it be optional ({FallbackSignature.Of(parameter.ParameterType)}? {name})."
            : null;
    }

    private static bool MayReadQuery(ParameterInfo parameter, string key) =>
        string.Equals(parameter.Name, key, StringComparison.OrdinalIgnoreCase)
        || StaleInputs.ReadsRequest(parameter.ParameterType)
        || parameter.GetCustomAttributes().Any(attribute => attribute is AsParametersAttribute
            || (attribute is IFromQueryMetadata query && string.Equals(query.Name, key, StringComparison.OrdinalIgnoreCase)));

    private static string IsNoService(Type type) => $"{FallbackSignature.Of(type)} is no registered service.";

    private static bool IsOptional(ParameterInfo parameter) =>
        parameter.HasDefaultValue || new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;
}
