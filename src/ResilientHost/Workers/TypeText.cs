namespace ResilientHost.Workers;

/// <summary>Types as people write them.</summary>
internal static class TypeText
{
    /// <summary>The name without namespace and outer types, with its type arguments: <c>Poller&lt;Order&gt;</c>.</summary>
    public static string Of(Type type)
    {
        if (type.IsArray)
        {
            return $"{Of(type.GetElementType()!)}[]";
        }

        if (!type.IsGenericType)
        {
            return type.Name;
        }

        // A type in a generic one has the outer one's arguments, too, but the tick only if it has its own.
        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        return tick < 0 ? type.Name : $"{type.Name[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>";
    }
}
