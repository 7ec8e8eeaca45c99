namespace ResilientHost.Recovery;

/// <summary>Names of exception types as tags, logs and fingerprints show them.</summary>
internal static class TypeNames
{
    /// <summary>The full name without type arguments, whose assembly-qualified names would be unreadable and unbounded.</summary>
    public static string Of(Exception exception)
    {
        var type = exception.GetType();
        return (type.IsConstructedGenericType ? type.GetGenericTypeDefinition() : type).FullName ?? type.Name;
    }
}
