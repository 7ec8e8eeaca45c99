using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Fallbacks;

/// <summary>Binds the fallbacks of endpoints, and says at start what is wrong with them. Thread-safe.</summary>
internal sealed class FallbackBinder(IServiceProvider services)
{
    private const string SaidAtTheCall = "WithFallback(Delegate) carries the requirement; [Fallback] is checked at start, and a method that was trimmed away is an error there.";

    /// <summary>Checks all of a fallback that can be checked without compiling it.</summary>
    /// <param name="endpoint">The endpoint that it stands in for.</param>
    /// <param name="metadata">The fallback.</param>
    /// <param name="errors">Takes an error for each thing that does not fit, with both signatures.</param>
    /// <returns>The binding; null when there were errors.</returns>
    public FallbackBinding? Bind(Endpoint endpoint, IFallbackMetadata metadata, ICollection<string> errors)
    {
        if (metadata.Handler is RequestDelegate handler)
        {
            return new FallbackBinding(FallbackSignature.Of(handler.Method), readsBody: false, () => handler);
        }

        var subject = new FallbackSubject(endpoint);
        if (metadata.Handler is { } fallback)
        {
            return BindRouteHandler(subject, fallback.Method, fallback, errors);
        }

        if (string.IsNullOrWhiteSpace(metadata.Method))
        {
            errors.Add($"{subject.Introduction} has a fallback of {FallbackSignature.Of(metadata.GetType())} that gives neither a handler nor the name of a method.");
            return null;
        }

        return FallbackMethod.Find(subject, metadata.Method, errors) is not { } method ? null
            : subject.Action is null ? BindRouteHandler(subject, method, handler: null, errors)
            : FallbackMvcAction.Bind(subject, method, services, errors);
    }

    /// <summary>The request's body as it is, or a part of its form.</summary>
    public static bool IsBody(Type type) =>
        type == typeof(Stream) || type == typeof(PipeReader) || type == typeof(IFormFile) || type == typeof(IFormFileCollection) || type == typeof(IFormCollection);

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SaidAtTheCall)]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = SaidAtTheCall)]
    private FallbackBinding? BindRouteHandler(FallbackSubject subject, MethodInfo method, Delegate? handler, ICollection<string> errors)
    {
        var signature = FallbackSignature.Of(method);
        var before = errors.Count;
        FallbackShape.Check(subject, method, errors);

        var builder = new RouteEndpointBuilder(requestDelegate: null, subject.Pattern ?? RoutePatternFactory.Parse("/"), order: 0) { ApplicationServices = services };
        var options = new RequestDelegateFactoryOptions
        {
            ServiceProvider = services,
            RouteParameterNames = subject.Pattern?.Parameters.Select(parameter => parameter.Name),
            DisableInferBodyFromParameters = !subject.InfersBody,
            EndpointBuilder = builder,

            // A caller whose request suits the endpoint must not be told 400 because the fallback wanted more of it.
            ThrowOnBadRequest = true,
        };

        RequestDelegateMetadataResult? inferred = null;
        try
        {
            inferred = RequestDelegateFactory.InferMetadata(method, options);
        }
        catch (Exception error)
        {
            errors.Add($"{subject.Introduction} has the fallback '{signature}', which cannot be bound: {FlatMessage(error)} {FallbackParameters.WhatCanBeBound}");
        }

        foreach (var parameter in method.GetParameters())
        {
            var problem = FallbackParameters.Missing(parameter, services) ?? FallbackParameters.MistakenForBody(parameter, subject, inferred?.EndpointMetadata ?? []) ?? FallbackParameters.NotInTheRequest(parameter, subject);
            if (problem is not null)
            {
                errors.Add($"{subject.Introduction} has the fallback '{signature}', whose parameter '{parameter.Name}' cannot be bound: {problem} {FallbackParameters.WhatCanBeBound}");
            }
        }

        WriteMvcResults();
        if (errors.Count > before)
        {
            return null;
        }

        var readsBody = inferred!.EndpointMetadata.OfType<IAcceptsMetadata>().Any() || method.GetParameters().Any(ReadsBody);
        return new FallbackBinding(signature, readsBody, () => handler is null
            ? RequestDelegateFactory.Create(method, targetFactory: null, options, inferred).RequestDelegate
            : RequestDelegateFactory.Create(handler, options, inferred).RequestDelegate);

        void WriteMvcResults()
        {
            if (!FallbackShape.IsOfMvc(FallbackShape.ResultOf(method.ReturnType)))
            {
                return;
            }

            if (services.GetService<IActionInvokerFactory>() is null)
            {
                errors.Add($"{subject.Introduction} has the fallback '{signature}', whose result only MVC can write, and the application has no MVC. Let it return IResult.");
                return;
            }

            builder.FilterFactories.Add((_, next) => async context => FallbackMvcResult.Wrap(await next(context)));
        }
    }

    private static string FlatMessage(Exception error)
    {
        var message = string.Join(' ', error.Message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return message.EndsWith('.') ? message : $"{message}.";
    }

    // Of what hands out the body as it is, routing keeps no record.
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = SaidAtTheCall)]
    private static bool ReadsBody(ParameterInfo parameter) =>
        IsBody(parameter.ParameterType)
        || (parameter.IsDefined(typeof(AsParametersAttribute)) && MembersOf(parameter.ParameterType).Any(IsBody));

    private static IEnumerable<Type> MembersOf([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicConstructors)] Type type) =>
        type.GetProperties().Select(property => property.PropertyType)
            .Concat(type.GetConstructors().SelectMany(constructor => constructor.GetParameters()).Select(parameter => parameter.ParameterType));
}
