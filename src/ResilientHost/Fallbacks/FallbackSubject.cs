using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using ResilientHost.Pipeline;

namespace ResilientHost.Fallbacks;

/// <summary>The endpoint that a fallback stands in for, as far as binding has to know it. Immutable.</summary>
internal sealed class FallbackSubject
{
    // Routing's own list: for these it infers no parameter to come from the body.
    private static readonly string[] BodilessMethods = [HttpMethods.Get, HttpMethods.Delete, HttpMethods.Head, HttpMethods.Options, HttpMethods.Trace, HttpMethods.Connect];

    public FallbackSubject(Endpoint endpoint)
    {
        Name = endpoint.DisplayName ?? EndpointKey.Plain(endpoint);
        Pattern = (endpoint as RouteEndpoint)?.RoutePattern;
        Action = endpoint.Metadata.GetMetadata<ControllerActionDescriptor>();

        // Routing puts the handler's method first; what anyone adds comes later.
        var known = Action?.MethodInfo ?? (endpoint.Metadata.GetOrderedMetadata<MethodInfo>() is [var first, ..] ? first : null);
        var called = endpoint.RequestDelegate?.Method;
        Method = known ?? (IsOfFramework(called) ? null : called);

        // What the method of a RequestDelegate returns beside its task is dropped: it writes the answer by itself.
        Result = Method is null || Method == called ? typeof(void) : FallbackShape.ResultOf(Method.ReturnType);

        var methods = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods;
        var bodiless = methods?.Count(method => BodilessMethods.Contains(method, StringComparer.OrdinalIgnoreCase)) ?? 0;
        InfersBody = bodiless == 0;
        MayHaveBody = methods is null || bodiless < methods.Count;
    }

    public string Name { get; }

    public RoutePattern? Pattern { get; }

    /// <summary>The controller's action; null for any other endpoint.</summary>
    public ControllerActionDescriptor? Action { get; }

    /// <summary>The handler's method; null where the framework does not tell.</summary>
    public MethodInfo? Method { get; }

    /// <summary>What the endpoint returns, out of its task; <see cref="void"/> when it writes the answer by itself or nothing is known.</summary>
    public Type Result { get; }

    /// <summary>Routing takes an unknown parameter for the body: none of the endpoint's methods is without one.</summary>
    public bool InfersBody { get; }

    /// <summary>One of its methods has a body.</summary>
    public bool MayHaveBody { get; }

    /// <summary>How messages begin.</summary>
    public string Introduction => Method is null ? $"Endpoint '{Name}'" : $"Endpoint '{Name}' ({FallbackSignature.Of(Method)})";

    public bool HasRouteValue(string name) => Pattern?.GetParameter(name) is not null;

    private static bool IsOfFramework(MethodInfo? method) =>
        method?.Module.Assembly.GetName().Name?.StartsWith("Microsoft.AspNetCore.", StringComparison.Ordinal) != false;
}
