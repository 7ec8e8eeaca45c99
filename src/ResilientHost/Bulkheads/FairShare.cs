namespace ResilientHost.Bulkheads;

/// <summary>Divides the room of one bulkhead fairly among callers.</summary>
internal sealed class FairShare;
