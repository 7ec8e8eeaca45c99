using System.Reflection;
using System.Runtime.CompilerServices;

namespace ResilientHost.Fallbacks;

/// <summary>Methods and types as C# writes them, for messages.</summary>
internal static class FallbackSignature
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(char)] = "char",
        [typeof(decimal)] = "decimal",
        [typeof(double)] = "double",
        [typeof(float)] = "float",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(void)] = "void",
    };

    /// <summary>A method with its type, or a lambda.</summary>
    public static string Of(MethodInfo method)
    {
        var parameters = string.Join(", ", method.GetParameters().Select(Of));
        var returned = Of(method.ReturnType);
        if (LocalFunctionName(method) is { } local)
        {
            return $"{returned} {local}({parameters})";
        }

        if (IsLambda(method))
        {
            return $"{returned} ({parameters}) => …";
        }

        var type = method.DeclaringType is { } declaring ? $"{Of(declaring)}." : "";
        var generics = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Of))}>" : "";
        return $"{(method.IsStatic ? "static " : "")}{returned} {type}{method.Name}{generics}({parameters})";
    }

    /// <summary>A type, without its namespace.</summary>
    public static string Of(Type type) => Of(type, withNamespace: false);

    /// <summary>Two types so that they can be told apart.</summary>
    public static (string One, string Other) Distinct(Type one, Type other)
    {
        var withNamespace = Of(one) == Of(other);
        return (Of(one, withNamespace), Of(other, withNamespace));
    }

    /// <summary>The name that a local function has in its source; null for any other method.</summary>
    public static string? LocalFunctionName(MethodInfo method)
    {
        var start = method.Name.IndexOf(">g__", StringComparison.Ordinal);
        var end = method.Name.LastIndexOf('|');
        return start >= 0 && end > start ? method.Name[(start + 4)..end] : null;
    }

    public static bool IsGenerated(Type type) => type.IsNested && type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);

    private static bool IsLambda(MethodInfo method) => method.DeclaringType is not { } type || IsGenerated(type) || method.Name.StartsWith('<');

    private static string Of(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        var modifier = !type.IsByRef ? "" : parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ";
        return $"{modifier}{Of(type.IsByRef ? type.GetElementType()! : type)} {parameter.Name}";
    }

    private static string Of(Type type, bool withNamespace)
    {
        if (Keywords.TryGetValue(type, out var keyword))
        {
            return keyword;
        }

        if (type.IsArray)
        {
            return $"{Of(type.GetElementType()!, withNamespace)}[{new string(',', type.GetArrayRank() - 1)}]";
        }

        if (type.HasElementType)
        {
            return $"{Of(type.GetElementType()!, withNamespace)}{(type.IsPointer ? '*' : '&')}";
        }

        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return $"{Of(value, withNamespace)}?";
        }

        return withNamespace && type.Namespace is { } space ? $"{space}.{Named(type, withNamespace)}" : Named(type, withNamespace);
    }

    private static string Named(Type type, bool withNamespace)
    {
        var arguments = type.GetGenericArguments();
        var text = "";

        // A nested type has the arguments of those around it first, and its own after them.
        var taken = 0;
        foreach (var part in Nest(type))
        {
            var own = part.GetGenericArguments().Length - taken;
            text += text.Length == 0 ? Plain(part.Name) : $".{Plain(part.Name)}";
            if (own > 0)
            {
                text += $"<{string.Join(", ", arguments.Skip(taken).Take(own).Select(argument => Of(argument, withNamespace)))}>";
                taken += own;
            }
        }

        return text;
    }

    private static IEnumerable<Type> Nest(Type type) => type.DeclaringType is { } outer ? Nest(outer).Append(type) : [type];

    private static string Plain(string name)
    {
        var arity = name.IndexOf('`', StringComparison.Ordinal);
        var plain = arity < 0 ? name : name[..arity];

        // A file-local type carries the name of its file: <Program>F0123…__Catalog.
        var file = plain.StartsWith('<') ? plain.IndexOf("__", StringComparison.Ordinal) : -1;
        return file < 0 ? plain : plain[(file + 2)..];
    }
}
