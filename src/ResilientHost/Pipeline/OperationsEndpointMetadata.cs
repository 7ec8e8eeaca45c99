namespace ResilientHost.Pipeline;

/// <summary>Marks an endpoint of ours that shows or operates the layers: exempt from them, and never open by accident.</summary>
/// <param name="Call">The call that mapped it, for error messages.</param>
/// <param name="Operation">What it changes, so that nobody may use it anonymously; <see langword="null"/> for one that shows.</param>
/// <param name="Yields">It is mapped along with others: what the application maps itself on the same path comes first.</param>
internal sealed record OperationsEndpointMetadata(string Call, string? Operation = null, bool Yields = false)
{
    /// <summary>Whether it changes something.</summary>
    public bool Operates => Operation is not null;
}
