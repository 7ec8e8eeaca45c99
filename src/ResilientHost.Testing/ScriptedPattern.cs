using System.Buffers;
using Microsoft.AspNetCore.Routing.Template;

namespace ResilientHost.Testing;

/// <summary>Reads the pattern of a route and says what is wrong with it.</summary>
internal static class ScriptedPattern
{
    private static readonly SearchValues<char> MethodCharacters =
        SearchValues.Create("-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public static RouteTemplate Parse(string method, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(method);
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (method != "*" && method.AsSpan().ContainsAnyExcept(MethodCharacters))
        {
            throw new ArgumentException($"'{method}' is no HTTP method: use one such as GET, or * for any.", nameof(method));
        }

        if (path[0] != '/')
        {
            throw new ArgumentException($"The path pattern '{path}' does not begin with a slash: use /{path}, or {nameof(ScriptedServer.Default)} for any path.", nameof(path));
        }

        if (path.Contains('?', StringComparison.Ordinal) && !path.Contains("?}", StringComparison.Ordinal))
        {
            throw new ArgumentException($"The path pattern '{path}' has a query, which does not choose the route: leave it out and look at {nameof(ScriptedRequest)}.{nameof(ScriptedRequest.Query)}.", nameof(path));
        }

        var template = TemplateParser.Parse(path);
        foreach (var parameter in template.Parameters)
        {
            if (parameter.InlineConstraints.Any())
            {
                throw new ArgumentException($"The path pattern '{path}' has a constraint, which is not looked at: use {{{parameter.Name}}}.", nameof(path));
            }
        }

        return template;
    }
}
