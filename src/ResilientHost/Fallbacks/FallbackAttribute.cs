namespace ResilientHost;

/// <summary>Names the method that answers when the endpoint cannot.</summary>
/// <param name="method">
/// A method of the handler's own type; for a lambda, of the type that encloses it. On a controller it must be non-public or <c>[NonAction]</c>, for otherwise it would be an
/// endpoint of its own; elsewhere it must be static.
/// </param>
/// <remarks>
/// Checked at start: a method that is missing, overloaded, generic, cannot be bound or returns what the endpoint could not return is an error that prints both signatures.
/// The twin of <c>WithFallback</c>.
/// </remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class FallbackAttribute(string method) : Attribute, IFallbackMetadata
{
    /// <inheritdoc/>
    public string Method { get; } = PolicyName.Checked(method);

    Delegate? IFallbackMetadata.Handler => null;
}
