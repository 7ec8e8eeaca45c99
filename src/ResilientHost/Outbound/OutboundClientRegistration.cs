namespace ResilientHost.Outbound;

/// <summary>Says that an HTTP client goes by a name of the layers'. One for each client that they were added to.</summary>
/// <param name="Name">The name; <see langword="null"/>: any, since they were added to all clients.</param>
internal sealed record OutboundClientRegistration(string? Name);
