using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Mvc.ModelBinding.Binders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ResilientHost.Fallbacks;

/// <summary>Tells MVC where the parameters of a controller's fallback come from.</summary>
/// <remarks>In this order: the request itself, what the parameter's attributes say, what the action does for its parameter of the same name and type, services, and what MVC would do for an action's parameter.</remarks>
internal sealed class FallbackMvcParameters(FallbackSubject subject, MethodInfo method, IServiceProvider services)
{
    private readonly IModelMetadataProvider _metadata = services.GetRequiredService<IModelMetadataProvider>();
    private readonly IModelBinderFactory _binders = services.GetRequiredService<IModelBinderFactory>();
    private readonly IServiceProviderIsService? _isService = services.GetService<IServiceProviderIsService>();
    private readonly bool _inferred = Infers(subject.Action!, services);

    /// <summary>After binding: one of them comes from the request's body, or may.</summary>
    public bool ReadsBody { get; private set; }

    /// <summary>The controller, or its assembly, is an <c>[ApiController]</c>.</summary>
    public static bool IsApi(ControllerActionDescriptor action) =>
        action.ControllerTypeInfo.GetCustomAttributes(inherit: true).Concat(action.ControllerTypeInfo.Assembly.GetCustomAttributes()).OfType<IApiBehaviorMetadata>().Any();

    public IList<ParameterDescriptor> Bind(ICollection<string> errors)
    {
        var parameters = new List<ParameterDescriptor>();
        foreach (var parameter in method.GetParameters())
        {
            var problem = Bind(parameter, parameters);
            if (problem is not null)
            {
                errors.Add($"{subject.Introduction} has the fallback '{FallbackSignature.Of(method)}', whose parameter '{parameter.Name}' cannot be bound: {problem} {FallbackParameters.WhatCanBeBound}");
            }
        }

        if (!method.IsStatic)
        {
            foreach (var property in subject.Action!.BoundProperties)
            {
                ReadsBody |= MayReadBody(property, _metadata.GetMetadataForProperty(subject.Action.ControllerTypeInfo, property.Name));
            }
        }

        return parameters;
    }

    private string? Bind(ParameterInfo parameter, List<ParameterDescriptor> parameters)
    {
        if (parameter.ParameterType.IsByRef || parameter.ParameterType.IsByRefLike)
        {
            return "it is passed by reference.";
        }

        if (FallbackParameters.Missing(parameter, services) is { } missing)
        {
            return missing;
        }

        var metadata = _metadata is ModelMetadataProvider provider ? provider.GetMetadataForParameter(parameter) : _metadata.GetMetadataForType(parameter.ParameterType);
        var descriptor = new ControllerParameterDescriptor
        {
            Name = parameter.Name!,
            ParameterType = parameter.ParameterType,
            ParameterInfo = parameter,
            BindingInfo = SourceOf(parameter, metadata),
        };

        try
        {
            var binder = _binders.CreateBinder(new ModelBinderFactoryContext { BindingInfo = descriptor.BindingInfo, Metadata = metadata, CacheToken = descriptor });
            if (binder is ComplexObjectModelBinder && metadata.ModelType is { IsAbstract: true })
            {
                return $"{FallbackSignature.Of(parameter.ParameterType)} is no registered service, and MVC cannot make one.";
            }
        }
        catch (Exception error)
        {
            return error.Message;
        }

        var inferredBody = descriptor.BindingInfo?.BindingSource == BindingSource.Body && BindingInfo.GetBindingInfo(parameter.GetCustomAttributes(inherit: true)) is null;
        if (inferredBody && !subject.MayHaveBody && ActionParameter(parameter) is null)
        {
            return $"{FallbackSignature.Of(parameter.ParameterType)} is no registered service, and requests of this endpoint have no body.";
        }

        ReadsBody |= MayReadBody(descriptor, metadata);
        parameters.Add(descriptor);
        return null;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = FallbackMvcAction.MvcIsNotTrimmed)]
    private BindingInfo? SourceOf(ParameterInfo parameter, ModelMetadata metadata)
    {
        var type = parameter.ParameterType;
        if (FallbackMvcModelBinder.Binds(type))
        {
            return new BindingInfo { BinderType = typeof(FallbackMvcModelBinder), BindingSource = BindingSource.Special };
        }

        if (BindingInfo.GetBindingInfo(parameter.GetCustomAttributes(inherit: true)) is { } own)
        {
            return own;
        }

        if (ActionParameter(parameter) is { } twin)
        {
            return twin.BindingInfo;
        }

        // A string that someone has registered is not what a parameter of a request is about.
        if (metadata.IsComplexType && IsService(type))
        {
            return new BindingInfo { BindingSource = BindingSource.Services };
        }

        // What [ApiController] infers for its actions, it has inferred once for them and does not for us.
        return !_inferred || metadata.BindingSource is not null ? null
            : subject.HasRouteValue(parameter.Name!) ? new BindingInfo { BindingSource = BindingSource.Path }
            : new BindingInfo { BindingSource = metadata.IsComplexType ? BindingSource.Body : BindingSource.Query };
    }

    private ParameterDescriptor? ActionParameter(ParameterInfo parameter) =>
        subject.Action!.Parameters.FirstOrDefault(other => other.ParameterType == parameter.ParameterType && other.Name.Equals(parameter.Name, StringComparison.OrdinalIgnoreCase));

    // Of any sequence a container says that it has it: an empty one.
    private bool IsService(Type type) =>
        _isService?.IsService(type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>) ? type.GetGenericArguments()[0] : type) == true;

    private bool MayReadBody(ParameterDescriptor parameter, ModelMetadata metadata)
    {
        var source = parameter.BindingInfo?.BindingSource ?? metadata.BindingSource;
        if (source is not null && source != BindingSource.ModelBinding)
        {
            return source == BindingSource.Body || source == BindingSource.FormFile || source.CanAcceptDataFrom(BindingSource.Form);
        }

        return subject.MayHaveBody && !subject.HasRouteValue(parameter.BindingInfo?.BinderModelName ?? parameter.Name);
    }

    private static bool Infers(ControllerActionDescriptor action, IServiceProvider services) =>
        IsApi(action) && services.GetRequiredService<IOptions<ApiBehaviorOptions>>().Value is { SuppressInferBindingSourcesForParameters: false };
}
