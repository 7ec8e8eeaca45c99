namespace ResilientHost.Pipeline;

/// <summary>Marks an endpoint of ours that shows or operates the layers: exempt from them, and never open by accident.</summary>
/// <param name="Call">The call that mapped it, for error messages.</param>
/// <param name="Operates">It changes something, so nobody may use it anonymously.</param>
internal sealed record OperationsEndpointMetadata(string Call, bool Operates = false);
