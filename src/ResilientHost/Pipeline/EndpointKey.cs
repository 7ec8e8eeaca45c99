using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace ResilientHost.Pipeline;

/// <summary>The names of endpoints: their own, else method and route pattern without constraints.</summary>
internal static class EndpointKey
{
    /// <summary>The key of each endpoint, distinct also where several share method and pattern.</summary>
    /// <remarks>Twins are told apart by host, then by display name (a controller's names its namespace, hence its version), then by order.</remarks>
    public static Dictionary<Endpoint, string> Assign(IEnumerable<Endpoint> endpoints)
    {
        var keys = new Dictionary<Endpoint, string>();
        foreach (var twins in endpoints.GroupBy(Plain, StringComparer.Ordinal))
        {
            var members = twins.ToArray();
            if (members.Length == 1)
            {
                keys[members[0]] = twins.Key;
                continue;
            }

            var taken = new HashSet<string>(StringComparer.Ordinal);
            var byHost = members.Select(Hosts).Distinct(StringComparer.Ordinal).Count() > 1;
            var byDisplayName = members.Select(member => (Hosts(member), member.DisplayName)).Distinct().Count() == members.Length;
            foreach (var member in members)
            {
                var key = byHost && Hosts(member) is { Length: > 0 } hosts ? $"{twins.Key} [{hosts}]" : twins.Key;
                if (taken.Contains(key) && byDisplayName)
                {
                    key = $"{key} ({member.DisplayName})";
                }

                for (var ordinal = 2; !taken.Add(key); ordinal++)
                {
                    key = $"{twins.Key} #{ordinal}";
                }

                keys[member] = key;
            }
        }

        return keys;
    }

    /// <summary>The key of an endpoint that has no twin.</summary>
    public static string Plain(Endpoint endpoint)
    {
        if (endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName is { Length: > 0 } name)
        {
            return name;
        }

        if (endpoint is not RouteEndpoint route)
        {
            return endpoint.DisplayName is { Length: > 0 } display ? display : "unnamed";
        }

        var methods = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods;
        var pattern = Pattern(route.RoutePattern);
        return methods switch
        {
            null or { Count: 0 } => pattern,
            { Count: 1 } => $"{methods[0]} {pattern}",
            _ => $"{string.Join(',', methods.Order(StringComparer.Ordinal))} {pattern}",
        };
    }

    /// <summary>Whether both were built from one mapping, such as one call of <c>MapGet</c>.</summary>
    public static bool AreOfOneMapping(Endpoint one, Endpoint other) =>
        one.DisplayName == other.DisplayName
        && (one as RouteEndpoint)?.Order == (other as RouteEndpoint)?.Order
        && Equals(Handler(one), Handler(other))
        && Hosts(one) == Hosts(other)
        && Plain(one) == Plain(other);

    // The request delegate of a route handler is built with the endpoint; its method is not.
    private static object? Handler(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<ActionDescriptor>()?.Id ?? endpoint.Metadata.GetMetadata<MethodInfo>() ?? (object?)endpoint.RequestDelegate;

    private static string Hosts(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IHostMetadata>() is { Hosts.Count: > 0 } hosts ? string.Join(',', hosts.Hosts) : "";

    private static string Pattern(RoutePattern pattern)
    {
        var text = new StringBuilder();
        foreach (var segment in pattern.PathSegments)
        {
            text.Append('/');
            foreach (var part in segment.Parts)
            {
                _ = part switch
                {
                    RoutePatternLiteralPart literal => text.Append(literal.Content),
                    RoutePatternSeparatorPart separator => text.Append(separator.Content),
                    RoutePatternParameterPart parameter => AppendParameter(text, pattern, parameter),
                    _ => text,
                };
            }
        }

        return text.Length == 0 ? "/" : text.ToString();
    }

    private static StringBuilder AppendParameter(StringBuilder text, RoutePattern pattern, RoutePatternParameterPart parameter)
    {
        // A conventional MVC route is one pattern for all actions; what makes it this action's are its required values.
        if (pattern.RequiredValues.TryGetValue(parameter.Name, out var required) && required is string { Length: > 0 } value)
        {
            return text.Append(value);
        }

        return text.Append('{').Append(parameter.IsCatchAll ? "*" : "").Append(parameter.Name).Append(parameter.IsOptional ? "?" : "").Append('}');
    }
}
