using System.IO.Pipelines;
using System.Reflection;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace ResilientHost.Fallbacks;

/// <summary>What an endpoint's answer depends on besides its route: read off its handler, or all of the query where that cannot be told.</summary>
/// <param name="QueryKeys">The query keys that the handler binds; <see langword="null"/>: it can read any.</param>
/// <param name="Headers">The request headers that the handler binds.</param>
/// <remarks>A wrong guess must only ever cost a hit: what is not known to be harmless makes the whole query count. Filters are not looked at.</remarks>
internal sealed record StaleInputs(IReadOnlyList<string>? QueryKeys, IReadOnlyList<string> Headers)
{
    /// <summary>What the endpoint depends on, as its metadata tells.</summary>
    public static StaleInputs Of(Endpoint endpoint, IStaleFallbackMetadata metadata)
    {
        var bound = endpoint.Metadata.GetMetadata<ActionDescriptor>() switch
        {
            ControllerActionDescriptor action => OfAction(action),
            null when endpoint.Metadata.GetMetadata<MethodInfo>() is { } method => OfHandler(endpoint, method),
            _ => new Reader(),
        };
        return new(metadata.QueryKeys ?? bound.QueryKeys, bound.Headers);
    }

    /// <summary>Whether a value of the type is made of one text: what routing and MVC read from the query where nothing else is said.</summary>
    public static bool IsSimple(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(StringValues) || type == typeof(decimal) || type == typeof(Guid) || type == typeof(Uri)
            || type == typeof(DateTime) || type == typeof(DateTimeOffset) || type == typeof(DateOnly) || type == typeof(TimeOnly) || type == typeof(TimeSpan)
            || type == typeof(Int128) || type == typeof(UInt128) || type == typeof(Half) || type == typeof(Version);
    }

    /// <summary>Whether who has one may read any part of the request.</summary>
    public static bool ReadsRequest(Type type) =>
        type == typeof(HttpContext) || type == typeof(HttpRequest) || type == typeof(HttpResponse) || type == typeof(IHttpContextAccessor);

    private static Reader OfHandler(Endpoint endpoint, MethodInfo method)
    {
        var reader = new Reader { QueryKeys = [] };
        var bindings = endpoint.Metadata.GetOrderedMetadata<IParameterBindingMetadata>();
        var route = (endpoint as RouteEndpoint)?.RoutePattern;
        foreach (var parameter in method.GetParameters())
        {
            // A parameter with a name of the route's is bound from there, and from nowhere else.
            var name = parameter.Name ?? "";
            if (!reader.TryByAttribute(parameter.GetCustomAttributes(inherit: false), name) && route?.GetParameter(name) is null)
            {
                reader.ByType(parameter.ParameterType, name, bindings.FirstOrDefault(binding => binding.Name == name));
            }
        }

        return reader;
    }

    private static Reader OfAction(ControllerActionDescriptor action)
    {
        var reader = new Reader { QueryKeys = [] };
        foreach (var parameter in action.Parameters.Concat(action.BoundProperties))
        {
            reader.ByBinding(parameter);
        }

        // A controller has its request at hand: one that binds nothing of the query may look into it by itself.
        if (reader.QueryKeys is { Count: 0 })
        {
            reader.QueryKeys = null;
        }

        // MVC gives a result in the format that the caller accepts, and does not say so by Vary.
        reader.Headers.Add(HeaderNames.Accept);
        return reader;
    }

    private sealed class Reader
    {
        public List<string>? QueryKeys { get; set; }

        public List<string> Headers { get; } = [];

        public bool TryByAttribute(object[] attributes, string name)
        {
            foreach (var attribute in attributes)
            {
                switch (attribute)
                {
                    case AsParametersAttribute:
                        QueryKeys = null;
                        return true;
                    case IFromQueryMetadata query:
                        QueryKeys?.Add(query.Name ?? name);
                        return true;
                    case IFromHeaderMetadata header:
                        Headers.Add(header.Name ?? name);
                        return true;
                    case IFromRouteMetadata or IFromServiceMetadata or FromKeyedServicesAttribute or IFromBodyMetadata or IFromFormMetadata:
                        return true;
                    default:
                        continue;
                }
            }

            return false;
        }

        public void ByType(Type type, string name, IParameterBindingMetadata? binding)
        {
            if (IsHarmless(type))
            {
                return;
            }

            var single = type.IsArray ? type.GetElementType()! : type;
            if (IsSimple(single) || (binding is { HasTryParse: true, HasBindAsync: false } && !ReadsRequest(type)))
            {
                QueryKeys?.Add(name);
            }
            else if (ReadsRequest(type) || binding?.HasBindAsync == true || (binding is null && !type.IsInterface))
            {
                QueryKeys = null;
            }
        }

        public void ByBinding(ParameterDescriptor parameter)
        {
            var (type, source) = (parameter.ParameterType, parameter.BindingInfo?.BindingSource);
            var name = parameter.BindingInfo?.BinderModelName ?? parameter.Name;
            if (source == BindingSource.Path || source == BindingSource.Services || source == BindingSource.Special || source == BindingSource.Body
                || source == BindingSource.Form || source == BindingSource.FormFile || IsHarmless(type))
            {
                return;
            }

            if (source == BindingSource.Header)
            {
                Headers.Add(name);
            }
            else if (parameter.BindingInfo?.BinderType is null && IsSimple(type) && (source is null || source == BindingSource.Query || source == BindingSource.ModelBinding))
            {
                QueryKeys?.Add(name);
            }
            else
            {
                // Complex models and collections are bound from many keys: prefixes, indexes, names of properties.
                QueryKeys = null;
            }
        }

        // Only what names nothing of the query; users are not served, bodies neither.
        private static bool IsHarmless(Type type) =>
            type == typeof(CancellationToken) || type == typeof(ClaimsPrincipal) || type == typeof(Stream) || type == typeof(PipeReader)
            || type == typeof(IFormFile) || type == typeof(IFormFileCollection) || type == typeof(IFormCollection);
    }
}
